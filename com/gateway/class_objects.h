/* Where the objects of the component's class come from: COM's class objects. */
#ifndef COM_GATEWAY_CLASS_OBJECTS_H
#define COM_GATEWAY_CLASS_OBJECTS_H

#include <viaduct/com.h>

struct com_class;

/* The process' one class, which lasts as long as the process; first. */
void class_objects_init(const struct com_class *class);
/* Failures are the thread's error information. */
HRESULT class_objects_get(REFIID iid, void **object);

#endif
