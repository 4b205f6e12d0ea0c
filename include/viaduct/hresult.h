/*
 * HRESULT and the result codes that Viaduct uses, with the values that Windows gives them.
 *
 * On Windows the system's headers define HRESULT and its codes; elsewhere this header does. Codes
 * that only Viaduct has are VIA_E_ and VIA_S_ in FACILITY_ITF, from 0x5600 on, where COM itself has
 * none. A failed call leaves a message in the calling thread's error information (see
 * error_info.h); the code alone never has to explain a failure.
 */
#ifndef VIADUCT_HRESULT_H
#define VIADUCT_HRESULT_H

#include <stdint.h>

#ifdef _WIN32
#include <windef.h>
#include <winbase.h>
#include <winerror.h>
#else

typedef int32_t HRESULT;

#define SUCCEEDED(hr) (((HRESULT)(hr)) >= 0)
#define FAILED(hr)    (((HRESULT)(hr)) < 0)

#define VIA_HRESULT(value) ((HRESULT)(value))

#define S_OK                      VIA_HRESULT(0)
#define S_FALSE                   VIA_HRESULT(1)
#define E_NOTIMPL                 VIA_HRESULT(0x80004001u)
#define E_NOINTERFACE             VIA_HRESULT(0x80004002u)
#define E_POINTER                 VIA_HRESULT(0x80004003u)
#define E_ABORT                   VIA_HRESULT(0x80004004u)
#define E_FAIL                    VIA_HRESULT(0x80004005u)
#define E_UNEXPECTED              VIA_HRESULT(0x8000FFFFu)
#define E_ACCESSDENIED            VIA_HRESULT(0x80070005u)
#define E_HANDLE                  VIA_HRESULT(0x80070006u)
#define E_OUTOFMEMORY             VIA_HRESULT(0x8007000Eu)
#define E_INVALIDARG              VIA_HRESULT(0x80070057u)
#define E_PENDING                 VIA_HRESULT(0x8000000Au)
#define CLASS_E_NOAGGREGATION     VIA_HRESULT(0x80040110u)
#define CLASS_E_CLASSNOTAVAILABLE VIA_HRESULT(0x80040111u)
#define REGDB_E_CLASSNOTREG       VIA_HRESULT(0x80040154u)
#define REGDB_E_IIDNOTREG         VIA_HRESULT(0x80040155u)
#define CO_E_SERVER_EXEC_FAILURE  VIA_HRESULT(0x80080005u)
#define CO_E_SERVER_STOPPING      VIA_HRESULT(0x80080008u)
#define CO_E_OBJNOTCONNECTED      VIA_HRESULT(0x800401FDu)
#define CO_E_NOTINITIALIZED       VIA_HRESULT(0x800401F0u)
#define CO_E_CLASSSTRING          VIA_HRESULT(0x800401F3u)
#define CO_E_DLLNOTFOUND          VIA_HRESULT(0x800401F8u)
#define MK_E_UNAVAILABLE          VIA_HRESULT(0x800401E3u)
#define RPC_E_CALL_REJECTED       VIA_HRESULT(0x80010001u)
#define RPC_E_CALL_CANCELED       VIA_HRESULT(0x80010002u)
#define RPC_E_SERVER_DIED         VIA_HRESULT(0x80010007u)
#define RPC_E_INVALID_DATA        VIA_HRESULT(0x8001000Fu)
#define RPC_E_SERVERFAULT         VIA_HRESULT(0x80010105u)
#define RPC_E_INVALIDMETHOD       VIA_HRESULT(0x80010107u)
#define RPC_E_DISCONNECTED        VIA_HRESULT(0x80010108u)
#define RPC_E_VERSION_MISMATCH    VIA_HRESULT(0x80010110u)
#define RPC_E_INVALID_HEADER      VIA_HRESULT(0x80010111u)
#define RPC_E_INVALID_OBJECT      VIA_HRESULT(0x80010114u)
#define RPC_E_CALL_COMPLETE       VIA_HRESULT(0x80010117u)
#define RPC_E_TIMEOUT             VIA_HRESULT(0x8001011Fu)
#define DISP_E_UNKNOWNINTERFACE   VIA_HRESULT(0x80020001u)
#define DISP_E_MEMBERNOTFOUND     VIA_HRESULT(0x80020003u)
#define DISP_E_PARAMNOTFOUND      VIA_HRESULT(0x80020004u)
#define DISP_E_TYPEMISMATCH       VIA_HRESULT(0x80020005u)
#define DISP_E_UNKNOWNNAME        VIA_HRESULT(0x80020006u)
#define DISP_E_NONAMEDARGS        VIA_HRESULT(0x80020007u)
#define DISP_E_BADVARTYPE         VIA_HRESULT(0x80020008u)
#define DISP_E_EXCEPTION          VIA_HRESULT(0x80020009u)
#define DISP_E_OVERFLOW           VIA_HRESULT(0x8002000Au)
#define DISP_E_BADINDEX           VIA_HRESULT(0x8002000Bu)
#define DISP_E_UNKNOWNLCID        VIA_HRESULT(0x8002000Cu)
#define DISP_E_ARRAYISLOCKED      VIA_HRESULT(0x8002000Du)
#define DISP_E_BADPARAMCOUNT      VIA_HRESULT(0x8002000Eu)
#define DISP_E_PARAMNOTOPTIONAL   VIA_HRESULT(0x8002000Fu)
#define DISP_E_NOTACOLLECTION     VIA_HRESULT(0x80020011u)
#define TYPE_E_ELEMENTNOTFOUND    VIA_HRESULT(0x8002802Bu)
#define TYPE_E_INVDATAREAD        VIA_HRESULT(0x80028018u)
#define TYPE_E_WRONGTYPEKIND      VIA_HRESULT(0x8002802Au)
#define TYPE_E_BADMODULEKIND      VIA_HRESULT(0x800288BDu)
#define TYPE_E_TYPEMISMATCH       VIA_HRESULT(0x80028CA0u)

#endif /* _WIN32 */

/* HRESULT of a Win32 error code, spelled the same on both systems. */
#define VIA_WIN32(code) ((HRESULT)(0x80070000u | (unsigned)(code)))

/* Not an error: the operation would have to wait; try again when it is ready. */
#define VIA_S_WOULD_BLOCK ((HRESULT)0x00045600)
/* Not an error: a wait ended because another thread interrupted it. */
#define VIA_S_INTERRUPTED ((HRESULT)0x00045601)

/* A peer sent what the wire protocol forbids. */
#define VIA_E_PROTOCOL ((HRESULT)0x80045601u)
/* A configured or negotiated limit was exceeded. */
#define VIA_E_LIMIT ((HRESULT)0x80045602u)
/* Both sides know an interface, but differently. */
#define VIA_E_MISMATCH ((HRESULT)0x80045603u)
/* None of the owner's addresses could be reached. */
#define VIA_E_UNREACHABLE ((HRESULT)0x80045604u)
/* A configuration file or manifest is wrong. */
#define VIA_E_CONFIG ((HRESULT)0x80045605u)
/* A plugin is missing, unsafe or invalid. */
#define VIA_E_PLUGIN ((HRESULT)0x80045606u)
/* An address is malformed, or its scheme is unknown. */
#define VIA_E_ADDRESS ((HRESULT)0x80045607u)
/* Somebody else listens at the address. */
#define VIA_E_ADDRESS_IN_USE ((HRESULT)0x80045608u)
/* Several peered hosts have the class. */
#define VIA_E_AMBIGUOUS ((HRESULT)0x80045609u)
/* A peer is not who it says, or is not allowed in. */
#define VIA_E_IDENTITY ((HRESULT)0x8004560Au)
/* A chain of nested calls is too deep. */
#define VIA_E_DEPTH ((HRESULT)0x8004560Bu)
/* A type library or description is invalid. */
#define VIA_E_TYPE ((HRESULT)0x8004560Cu)
/* The runtime was set up before this process forked. */
#define VIA_E_FORKED ((HRESULT)0x8004560Du)
/* Chains of calls wait for each other's serial objects; this call was refused, so that the others
 * go on. */
#define VIA_E_DEADLOCK ((HRESULT)0x8004560Eu)
/* The connection carries no OS handles, or none of this kind. */
#define VIA_E_NO_HANDLES ((HRESULT)0x8004560Fu)
/* A call on the result of another one was sent to a process that the object does not live in; the
 * runtime makes it again, where it does. No method returns it. */
#define VIA_E_ELSEWHERE ((HRESULT)0x80045610u)

#endif
