/*
 * Events as COM has them: IConnectionPointContainer, IConnectionPoint and their enumerators. On
 * Windows the system's own; elsewhere binary-identical ones.
 *
 * An object that has events answers QueryInterface for IConnectionPointContainer, which has one
 * connection point for each interface that the object calls (a "source" interface). A client that
 * wants the events implements that interface, its sink, and gives it to the point's Advise.
 * <viaduct/events.h> makes both sides short.
 */
#ifndef VIADUCT_CONNECTION_POINTS_H
#define VIADUCT_CONNECTION_POINTS_H

#include <viaduct/unknwn.h>

#ifdef _WIN32

#include <ocidl.h>
#include <olectl.h>

#else

#define CONNECT_E_NOCONNECTION  VIA_HRESULT(0x80040200u)
#define CONNECT_E_ADVISELIMIT   VIA_HRESULT(0x80040201u)
#define CONNECT_E_CANNOTCONNECT VIA_HRESULT(0x80040202u)

#ifdef __cplusplus
extern "C" {
#endif

VIA_API extern const IID via_IID_IConnectionPointContainer;
VIA_API extern const IID via_IID_IConnectionPoint;
VIA_API extern const IID via_IID_IEnumConnectionPoints;
VIA_API extern const IID via_IID_IEnumConnections;
#define IID_IConnectionPointContainer via_IID_IConnectionPointContainer
#define IID_IConnectionPoint          via_IID_IConnectionPoint
#define IID_IEnumConnectionPoints     via_IID_IEnumConnectionPoints
#define IID_IEnumConnections          via_IID_IEnumConnections

#ifdef __cplusplus
}
#endif

typedef struct IConnectionPoint IConnectionPoint;
typedef struct IConnectionPointContainer IConnectionPointContainer;
typedef struct IEnumConnectionPoints IEnumConnectionPoints;
typedef struct IEnumConnections IEnumConnections;
typedef IConnectionPoint *LPCONNECTIONPOINT;

/* One sink, as IEnumConnections gives it: with a reference. */
typedef struct tagCONNECTDATA {
    IUnknown *pUnk;
    DWORD dwCookie;
} CONNECTDATA, *LPCONNECTDATA;

#ifdef __cplusplus

struct IConnectionPointContainer : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE EnumConnectionPoints(IEnumConnectionPoints **points) = 0;
    virtual HRESULT STDMETHODCALLTYPE FindConnectionPoint(REFIID iid, IConnectionPoint **point) = 0;
};

struct IConnectionPoint : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetConnectionInterface(IID *iid) = 0;
    virtual HRESULT STDMETHODCALLTYPE
    GetConnectionPointContainer(IConnectionPointContainer **container) = 0;
    virtual HRESULT STDMETHODCALLTYPE Advise(IUnknown *sink, DWORD *cookie) = 0;
    virtual HRESULT STDMETHODCALLTYPE Unadvise(DWORD cookie) = 0;
    virtual HRESULT STDMETHODCALLTYPE EnumConnections(IEnumConnections **connections) = 0;
};

struct IEnumConnectionPoints : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Next(ULONG n, LPCONNECTIONPOINT *points, ULONG *fetched) = 0;
    virtual HRESULT STDMETHODCALLTYPE Skip(ULONG n) = 0;
    virtual HRESULT STDMETHODCALLTYPE Reset() = 0;
    virtual HRESULT STDMETHODCALLTYPE Clone(IEnumConnectionPoints **clone) = 0;
};

struct IEnumConnections : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Next(ULONG n, LPCONNECTDATA connections, ULONG *fetched) = 0;
    virtual HRESULT STDMETHODCALLTYPE Skip(ULONG n) = 0;
    virtual HRESULT STDMETHODCALLTYPE Reset() = 0;
    virtual HRESULT STDMETHODCALLTYPE Clone(IEnumConnections **clone) = 0;
};

#else

typedef struct IConnectionPointContainerVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)
    (IConnectionPointContainer *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IConnectionPointContainer *This);
    ULONG(STDMETHODCALLTYPE *Release)(IConnectionPointContainer *This);
    HRESULT(STDMETHODCALLTYPE *EnumConnectionPoints)
    (IConnectionPointContainer *This, IEnumConnectionPoints **points);
    HRESULT(STDMETHODCALLTYPE *FindConnectionPoint)
    (IConnectionPointContainer *This, REFIID iid, IConnectionPoint **point);
} IConnectionPointContainerVtbl;
struct IConnectionPointContainer {
    const IConnectionPointContainerVtbl *lpVtbl;
};

typedef struct IConnectionPointVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IConnectionPoint *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IConnectionPoint *This);
    ULONG(STDMETHODCALLTYPE *Release)(IConnectionPoint *This);
    HRESULT(STDMETHODCALLTYPE *GetConnectionInterface)(IConnectionPoint *This, IID *iid);
    HRESULT(STDMETHODCALLTYPE *GetConnectionPointContainer)
    (IConnectionPoint *This, IConnectionPointContainer **container);
    HRESULT(STDMETHODCALLTYPE *Advise)(IConnectionPoint *This, IUnknown *sink, DWORD *cookie);
    HRESULT(STDMETHODCALLTYPE *Unadvise)(IConnectionPoint *This, DWORD cookie);
    HRESULT(STDMETHODCALLTYPE *EnumConnections)
    (IConnectionPoint *This, IEnumConnections **connections);
} IConnectionPointVtbl;
struct IConnectionPoint {
    const IConnectionPointVtbl *lpVtbl;
};

typedef struct IEnumConnectionPointsVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)
    (IEnumConnectionPoints *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IEnumConnectionPoints *This);
    ULONG(STDMETHODCALLTYPE *Release)(IEnumConnectionPoints *This);
    HRESULT(STDMETHODCALLTYPE *Next)
    (IEnumConnectionPoints *This, ULONG n, LPCONNECTIONPOINT *points, ULONG *fetched);
    HRESULT(STDMETHODCALLTYPE *Skip)(IEnumConnectionPoints *This, ULONG n);
    HRESULT(STDMETHODCALLTYPE *Reset)(IEnumConnectionPoints *This);
    HRESULT(STDMETHODCALLTYPE *Clone)(IEnumConnectionPoints *This, IEnumConnectionPoints **clone);
} IEnumConnectionPointsVtbl;
struct IEnumConnectionPoints {
    const IEnumConnectionPointsVtbl *lpVtbl;
};

typedef struct IEnumConnectionsVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IEnumConnections *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IEnumConnections *This);
    ULONG(STDMETHODCALLTYPE *Release)(IEnumConnections *This);
    HRESULT(STDMETHODCALLTYPE *Next)
    (IEnumConnections *This, ULONG n, LPCONNECTDATA connections, ULONG *fetched);
    HRESULT(STDMETHODCALLTYPE *Skip)(IEnumConnections *This, ULONG n);
    HRESULT(STDMETHODCALLTYPE *Reset)(IEnumConnections *This);
    HRESULT(STDMETHODCALLTYPE *Clone)(IEnumConnections *This, IEnumConnections **clone);
} IEnumConnectionsVtbl;
struct IEnumConnections {
    const IEnumConnectionsVtbl *lpVtbl;
};

#define IConnectionPointContainer_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IConnectionPointContainer_AddRef(This)  (This)->lpVtbl->AddRef(This)
#define IConnectionPointContainer_Release(This) (This)->lpVtbl->Release(This)
#define IConnectionPointContainer_EnumConnectionPoints(This, points) \
    (This)->lpVtbl->EnumConnectionPoints(This, points)
#define IConnectionPointContainer_FindConnectionPoint(This, iid, point) \
    (This)->lpVtbl->FindConnectionPoint(This, iid, point)

#define IConnectionPoint_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IConnectionPoint_AddRef(This)  (This)->lpVtbl->AddRef(This)
#define IConnectionPoint_Release(This) (This)->lpVtbl->Release(This)
#define IConnectionPoint_GetConnectionInterface(This, iid) \
    (This)->lpVtbl->GetConnectionInterface(This, iid)
#define IConnectionPoint_GetConnectionPointContainer(This, container) \
    (This)->lpVtbl->GetConnectionPointContainer(This, container)
#define IConnectionPoint_Advise(This, sink, cookie) (This)->lpVtbl->Advise(This, sink, cookie)
#define IConnectionPoint_Unadvise(This, cookie)     (This)->lpVtbl->Unadvise(This, cookie)
#define IConnectionPoint_EnumConnections(This, connections) \
    (This)->lpVtbl->EnumConnections(This, connections)

#define IEnumConnectionPoints_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IEnumConnectionPoints_AddRef(This)  (This)->lpVtbl->AddRef(This)
#define IEnumConnectionPoints_Release(This) (This)->lpVtbl->Release(This)
#define IEnumConnectionPoints_Next(This, n, points, fetched) \
    (This)->lpVtbl->Next(This, n, points, fetched)
#define IEnumConnectionPoints_Skip(This, n)      (This)->lpVtbl->Skip(This, n)
#define IEnumConnectionPoints_Reset(This)        (This)->lpVtbl->Reset(This)
#define IEnumConnectionPoints_Clone(This, clone) (This)->lpVtbl->Clone(This, clone)

#define IEnumConnections_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IEnumConnections_AddRef(This)  (This)->lpVtbl->AddRef(This)
#define IEnumConnections_Release(This) (This)->lpVtbl->Release(This)
#define IEnumConnections_Next(This, n, connections, fetched) \
    (This)->lpVtbl->Next(This, n, connections, fetched)
#define IEnumConnections_Skip(This, n)      (This)->lpVtbl->Skip(This, n)
#define IEnumConnections_Reset(This)        (This)->lpVtbl->Reset(This)
#define IEnumConnections_Clone(This, clone) (This)->lpVtbl->Clone(This, clone)

#endif /* __cplusplus */

#endif /* _WIN32 */

#endif
