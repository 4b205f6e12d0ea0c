/*
 * What is compiled once for all sources of a Windows build (cmake/ViaductTargets.cmake). Sources
 * include what they need all the same: the build must not depend on this.
 */
#ifndef VIADUCT_WINDOWS_HEADERS_H
#define VIADUCT_WINDOWS_HEADERS_H

#define COBJMACROS
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <wtypes.h>

#endif
