/*
 * Everything that a component's or an application's source needs of COM, on both systems.
 */
#ifndef VIADUCT_COM_H
#define VIADUCT_COM_H

#include <viaduct/automation.h>
#include <viaduct/base.h>
#include <viaduct/dispatch.h>
#include <viaduct/enumerators.h>
#include <viaduct/error_info.h>
#include <viaduct/guid.h>
#include <viaduct/handle.h>
#include <viaduct/hresult.h>
#include <viaduct/record_info.h>
#include <viaduct/safearray.h>
#include <viaduct/stream.h>
#include <viaduct/taskmem.h>
#include <viaduct/type_info.h>
#include <viaduct/unknwn.h>
#include <viaduct/variant.h>

#endif
