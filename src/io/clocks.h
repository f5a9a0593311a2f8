/*
** The clocks of the system, in seconds.
** Knows nothing of who asks.
*/
#ifndef OFOX_MOMENT_H
#define OFOX_MOMENT_H

double ofox_moment_now(void);  /* of a clock that never jumps */
double ofox_moment_wall(void); /* since 1970 */

#endif
