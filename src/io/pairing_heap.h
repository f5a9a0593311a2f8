/*
** A heap of what its owners make entries of: the one with the least key comes
** first. Takes no memory, so that no entry can fail to be in it. Adding one
** costs the same however many there are; removing one costs, on average, as
** many steps as that number has binary digits.
** Knows nothing of what its keys mean.
*/
#ifndef OFOX_PAIRING_HEAP_H
#define OFOX_PAIRING_HEAP_H

/* Zeroed: in no heap. */
struct ofox_heap_node {
  double key;
  struct ofox_heap_node *_next, *_below; /* beside it; the first below it */
  struct ofox_heap_node **_link;         /* '*_link' is this; NULL: no heap */
};

/* Zeroed: empty. */
struct ofox_pairing_heap {
  struct ofox_heap_node *first; /* NULL: none */
};

/* The node is in the heap from now on, with that key. It is in no other. */
void ofox_pairing_heap_put(struct ofox_pairing_heap *h,
                           struct ofox_heap_node *n, double key);

/* Takes a node out of whatever heap it is in, if any. */
void ofox_pairing_heap_drop(struct ofox_heap_node *n);

int ofox_pairing_heap_has(const struct ofox_heap_node *n); /* is in a heap */

#endif
