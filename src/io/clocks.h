/*
** The clocks of the system, in seconds.
** Knows nothing of who asks.
*/
#ifndef OFOX_CLOCKS_H
#define OFOX_CLOCKS_H

double ofox_clocks_now(void);  /* of a monotonic clock */
double ofox_clocks_wall(void); /* since 1970 */

#endif
