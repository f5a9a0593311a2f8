#include "redis/pauses.h"

#include <math.h>

#define SHORTEST 0.5
#define LONGEST 5.0

void ofox_redis_pauses_begin(struct ofox_redis_pauses *p, double now) {
  p->_pause = p->_pause == 0 ? SHORTEST : fmin(p->_pause * 2, LONGEST);
  p->_began = now;
  p->until = now + p->_pause;
}

void ofox_redis_pauses_succeed(struct ofox_redis_pauses *p) {
  if (p->_pause == 0)
    return;
  p->_pause = 0;
  p->until = p->_began + SHORTEST;
}
