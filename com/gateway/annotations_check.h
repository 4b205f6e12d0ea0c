/*
 * Whether the names in side files are names of anything: of interfaces, methods and parameters of
 * the type libraries that a host's exposed classes are registered with. A misspelt one would say
 * nothing to anybody. For one thread, which starts the host.
 */
#ifndef COM_GATEWAY_ANNOTATIONS_CHECK_H
#define COM_GATEWAY_ANNOTATIONS_CHECK_H

struct com_class;

/* The side files are about this class, too. */
void annotations_check_add(const struct com_class *class);
/* Logs each name that means nothing in the libraries of all of them, with its place; and forgets
 * them. */
void annotations_check_report(void);

#endif
