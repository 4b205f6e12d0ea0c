/* INode, the root object of every connection: what this process says of itself. */
#ifndef COM_REMOTE_NODE_OBJECT_H
#define COM_REMOTE_NODE_OBJECT_H

#include <viaduct/com.h>

struct node;

/* The object borrows the node, which holds it as its root for as long as anybody can call it. */
HRESULT node_object_new(struct node *node, IUnknown **object);

#endif
