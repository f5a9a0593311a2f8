#include "io/pairing_heap.h"

#include <stddef.h>

/* '*link' points to the node from now on; NULL: to none. */
static void hang(struct ofox_heap_node **link, struct ofox_heap_node *n) {
  *link = n;
  if (n != NULL)
    n->_link = link;
}

/* Makes one tree of two, one of which may be NULL. Where it hangs is up to the
** caller, and what is beside it. */
static struct ofox_heap_node *meld(struct ofox_heap_node *a,
                                   struct ofox_heap_node *b) {
  struct ofox_heap_node *above = a, *below = b;
  if (a == NULL || b == NULL)
    return a != NULL ? a : b;
  if (b->key < a->key) {
    above = b;
    below = a;
  }
  hang(&below->_next, above->_below);
  hang(&above->_below, below);
  return above;
}

/* Makes one tree of trees side by side: of each two, then of all these. That
** it goes by twos is what keeps later removals cheap. */
static struct ofox_heap_node *meld_all(struct ofox_heap_node *n) {
  struct ofox_heap_node *tree = NULL, *twos = NULL, *other, *next;
  for (; n != NULL; n = next) {
    other = n->_next;
    next = other != NULL ? other->_next : NULL;
    n = meld(n, other);
    n->_next = twos;
    twos = n;
  }
  for (; twos != NULL; twos = next) {
    next = twos->_next;
    tree = meld(tree, twos);
  }
  return tree;
}

void ofox_pairing_heap_drop(struct ofox_heap_node *n) {
  struct ofox_heap_node *tree;
  if (n->_link == NULL)
    return;
  tree = meld_all(n->_below);
  if (tree == NULL) {
    hang(n->_link, n->_next);
  }
  else {
    hang(n->_link, tree);
    hang(&tree->_next, n->_next);
  }
  n->_next = n->_below = NULL;
  n->_link = NULL;
}

void ofox_pairing_heap_put(struct ofox_pairing_heap *h,
                           struct ofox_heap_node *n, double key) {
  ofox_pairing_heap_drop(n);
  n->key = key;
  n = meld(h->first, n);
  n->_next = NULL;
  hang(&h->first, n);
}

int ofox_pairing_heap_has(const struct ofox_heap_node *n) {
  return n->_link != NULL;
}
