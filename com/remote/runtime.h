/*
 * The process' own node: what the application's API in <viaduct/runtime.h> works on.
 *
 * Made by the first via_initialize(), gone with the last via_uninitialize(). The API's functions
 * may only be called in between, so they read it without a lock.
 */
#ifndef COM_REMOTE_RUNTIME_H
#define COM_REMOTE_RUNTIME_H

#include <stdint.h>
#include <viaduct/com.h>

struct import;
struct link_id;
struct node;

/* The node, or NULL with CO_E_NOTINITIALIZED as the thread's error. VIA_E_FORKED in a forked child.
 */
struct node *runtime_node(void);

/* Ends a function of the API: a failure's record becomes the thread's IErrorInfo. Returns `hr`. */
HRESULT runtime_publish(HRESULT hr);

/* When a call on `import` that starts now has to be over: the smaller of the object's limit and the
 * thread's. */
uint64_t runtime_deadline(struct import *import);
/* The same, up to OS_COARSE_NS later, for what hardly ever waits. */
uint64_t runtime_coarse_deadline(struct import *import);

/* For an activation: what this thread's calls have instead of the node's default. Returns what it
 * was; 0: none. */
uint32_t runtime_set_patience(uint32_t timeout_ms);

/* How the process of the node `dead` came to its end, as the host or one of its peers knows it;
 * S_FALSE if they do not. Blocks for a short time. `text` is for free(). */
HRESULT runtime_ask_exit(struct node *node, const struct link_id *dead, char **text);

#endif
