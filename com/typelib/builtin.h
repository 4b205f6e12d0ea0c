/*
 * The interfaces of COM's own that every process knows: IUnknown and IDispatch, which every library
 * may name and none describes, and those that have a description here since no IDL can give them
 * one that crosses processes: IClassFactory, connection points, weak references.
 */
#ifndef COM_TYPELIB_BUILTIN_H
#define COM_TYPELIB_BUILTIN_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/guid.h>
#include <viaduct/typelib.h>

extern const GUID builtin_iid_unknown;
extern const GUID builtin_iid_dispatch;
extern const GUID builtin_iid_class_factory;

/* Slots of the vtable of IUnknown or IDispatch; 0 for another one. */
uint16_t builtin_slots(const GUID *iid);
/* Whether a built-in interface has a method of this name itself or from its base; without case. */
bool builtin_has_method(const GUID *iid, const char *name);

/* IClassFactory as it travels: what CreateInstance makes goes as the IUnknown that it derives from,
 * and the caller's proxy asks that for the interface (com/remote/factory.h). */
extern const struct via_typelib builtin_typelib;
#define BUILTIN_CREATE_INSTANCE_SLOT 3u
#define BUILTIN_LOCK_SERVER_SLOT     4u

/* Connection points and weak references (builtin_events.c), and those of them whose proxies have
 * slots of their own (com/remote/local_slots.h). */
extern const struct via_typelib builtin_events_typelib;
extern const GUID builtin_iid_enum_points;
extern const GUID builtin_iid_enum_connections;
extern const GUID builtin_iid_weak_reference;
#define BUILTIN_ENUM_NEXT_SLOT  3u
#define BUILTIN_ENUM_SKIP_SLOT  4u
#define BUILTIN_ENUM_RESET_SLOT 5u
#define BUILTIN_ENUM_CLONE_SLOT 6u
#define BUILTIN_RESOLVE_SLOT    3u

/* Streams and COM's enumerators (builtin_streams.c), which have slots of their own too. */
extern const struct via_typelib builtin_streams_typelib;
extern const GUID builtin_iid_sequential_stream;
extern const GUID builtin_iid_stream;
extern const GUID builtin_iid_enum_unknown;
extern const GUID builtin_iid_enum_string;
extern const GUID builtin_iid_enum_variant;
#define BUILTIN_STREAM_READ_SLOT   3u
#define BUILTIN_STREAM_WRITE_SLOT  4u
#define BUILTIN_STREAM_SEEK_SLOT   5u
#define BUILTIN_STREAM_SIZE_SLOT   6u
#define BUILTIN_STREAM_COPY_SLOT   7u
#define BUILTIN_STREAM_COMMIT_SLOT 8u
#define BUILTIN_STREAM_REVERT_SLOT 9u
#define BUILTIN_STREAM_LOCK_SLOT   10u
#define BUILTIN_STREAM_UNLOCK_SLOT 11u
#define BUILTIN_STREAM_STAT_SLOT   12u
#define BUILTIN_STREAM_CLONE_SLOT  13u

/* Signatures of members that nobody describes (builtin_members.c): with so many arguments, three
 * for each number. */
extern const struct via_typelib builtin_members_typelib;
extern const GUID builtin_iid_members;
#define BUILTIN_MEMBERS_MAX    16u
#define BUILTIN_MEMBER_DO(n)   (3u * (n))
#define BUILTIN_MEMBER_GIVE(n) (3u * (n) + 1u) /* and a result */
#define BUILTIN_MEMBER_PUT(n)  (3u * (n) + 2u)

/* What an IDL file may name after the imports that are built in: the interface's id, and the name
 * of its base (NULL: it is IUnknown). NULL for another name. */
const GUID *builtin_find_interface(const char *name, const char **base);

#endif
