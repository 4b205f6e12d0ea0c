/*
 * Streams: ISequentialStream and IStream, COM's own interfaces for data of any length.
 *
 * A stream that is an argument stays where it is; who receives it gets a proxy, and reads and
 * writes through that. Read and Write move any amount in pieces, so a stream needs the same little
 * memory however long it is, on both sides and between them, and a stream that is slow makes only
 * those wait who read or write it. On Windows the interfaces are those of <objidl.h>.
 *
 * The functions at the end make streams of memory and of open files.
 */
#ifndef VIADUCT_STREAM_H
#define VIADUCT_STREAM_H

#include <viaduct/handle.h>
#include <viaduct/unknwn.h>

#ifdef _WIN32

#include <objidl.h>

#else

#define STG_E_INVALIDFUNCTION VIA_HRESULT(0x80030001u)
#define STG_E_INVALIDPOINTER  VIA_HRESULT(0x80030009u)
#define STG_E_WRITEFAULT      VIA_HRESULT(0x8003001Du)
#define STG_E_READFAULT       VIA_HRESULT(0x8003001Eu)
#define STG_E_MEDIUMFULL      VIA_HRESULT(0x80030070u)
#define STG_E_INVALIDFLAG     VIA_HRESULT(0x800300FFu)

typedef union _LARGE_INTEGER {
    struct {
        DWORD LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    struct {
        DWORD LowPart;
        DWORD HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER;

/* 100 ns since 1601-01-01, UTC. */
typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME;

typedef enum tagSTREAM_SEEK {
    STREAM_SEEK_SET = 0,
    STREAM_SEEK_CUR = 1,
    STREAM_SEEK_END = 2
} STREAM_SEEK;
typedef enum tagSTGTY {
    STGTY_STORAGE = 1,
    STGTY_STREAM = 2,
    STGTY_LOCKBYTES = 3,
    STGTY_PROPERTY = 4
} STGTY;
typedef enum tagSTATFLAG {
    STATFLAG_DEFAULT = 0,
    STATFLAG_NONAME = 1,
    STATFLAG_NOOPEN = 2
} STATFLAG;
typedef enum tagSTGC {
    STGC_DEFAULT = 0,
    STGC_OVERWRITE = 1,
    STGC_ONLYIFCURRENT = 2,
    STGC_DANGEROUSLYCOMMITMERELYTODISKCACHE = 4,
    STGC_CONSOLIDATE = 8
} STGC;
/* glibc has a macro of that name for a kind of flock() that Linux no longer knows. Its header comes
 * first, so that it cannot come later. */
#include <fcntl.h>
#undef LOCK_WRITE
typedef enum tagLOCKTYPE { LOCK_WRITE = 1, LOCK_EXCLUSIVE = 2, LOCK_ONLYONCE = 4 } LOCKTYPE;

#define STGM_READ      0x00000000u
#define STGM_WRITE     0x00000001u
#define STGM_READWRITE 0x00000002u

/* `pwcsName` is CoTaskMemFree()'s, or NULL. */
typedef struct tagSTATSTG {
    LPOLESTR pwcsName;
    DWORD type; /* STGTY_STREAM */
    ULARGE_INTEGER cbSize;
    FILETIME mtime;
    FILETIME ctime;
    FILETIME atime;
    DWORD grfMode;
    DWORD grfLocksSupported;
    CLSID clsid;
    DWORD grfStateBits;
    DWORD reserved;
} STATSTG;

#ifdef __cplusplus
extern "C" {
#endif

VIA_API extern const IID via_IID_ISequentialStream;
VIA_API extern const IID via_IID_IStream;
#define IID_ISequentialStream via_IID_ISequentialStream
#define IID_IStream           via_IID_IStream

#ifdef __cplusplus
}
#endif

typedef struct ISequentialStream ISequentialStream;
typedef struct IStream IStream;
typedef IStream *LPSTREAM;

#ifdef __cplusplus

struct ISequentialStream : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Read(void *data, ULONG size, ULONG *n_read) = 0;
    virtual HRESULT STDMETHODCALLTYPE Write(const void *data, ULONG size, ULONG *n_written) = 0;
};

struct IStream : public ISequentialStream {
    virtual HRESULT STDMETHODCALLTYPE Seek(LARGE_INTEGER move, DWORD origin,
                                           ULARGE_INTEGER *position) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetSize(ULARGE_INTEGER size) = 0;
    virtual HRESULT STDMETHODCALLTYPE CopyTo(IStream *stream, ULARGE_INTEGER size,
                                             ULARGE_INTEGER *n_read, ULARGE_INTEGER *n_written) = 0;
    virtual HRESULT STDMETHODCALLTYPE Commit(DWORD flags) = 0;
    virtual HRESULT STDMETHODCALLTYPE Revert() = 0;
    virtual HRESULT STDMETHODCALLTYPE LockRegion(ULARGE_INTEGER offset, ULARGE_INTEGER size,
                                                 DWORD type) = 0;
    virtual HRESULT STDMETHODCALLTYPE UnlockRegion(ULARGE_INTEGER offset, ULARGE_INTEGER size,
                                                   DWORD type) = 0;
    virtual HRESULT STDMETHODCALLTYPE Stat(STATSTG *status, DWORD flags) = 0;
    virtual HRESULT STDMETHODCALLTYPE Clone(IStream **clone) = 0;
};

#else

typedef struct ISequentialStreamVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(ISequentialStream *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(ISequentialStream *This);
    ULONG(STDMETHODCALLTYPE *Release)(ISequentialStream *This);
    HRESULT(STDMETHODCALLTYPE *Read)
    (ISequentialStream *This, void *data, ULONG size, ULONG *n_read);
    HRESULT(STDMETHODCALLTYPE *Write)
    (ISequentialStream *This, const void *data, ULONG size, ULONG *n_written);
} ISequentialStreamVtbl;
struct ISequentialStream {
    const ISequentialStreamVtbl *lpVtbl;
};

typedef struct IStreamVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IStream *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IStream *This);
    ULONG(STDMETHODCALLTYPE *Release)(IStream *This);
    HRESULT(STDMETHODCALLTYPE *Read)(IStream *This, void *data, ULONG size, ULONG *n_read);
    HRESULT(STDMETHODCALLTYPE *Write)
    (IStream *This, const void *data, ULONG size, ULONG *n_written);
    HRESULT(STDMETHODCALLTYPE *Seek)
    (IStream *This, LARGE_INTEGER move, DWORD origin, ULARGE_INTEGER *position);
    HRESULT(STDMETHODCALLTYPE *SetSize)(IStream *This, ULARGE_INTEGER size);
    HRESULT(STDMETHODCALLTYPE *CopyTo)
    (IStream *This, IStream *stream, ULARGE_INTEGER size, ULARGE_INTEGER *n_read,
     ULARGE_INTEGER *n_written);
    HRESULT(STDMETHODCALLTYPE *Commit)(IStream *This, DWORD flags);
    HRESULT(STDMETHODCALLTYPE *Revert)(IStream *This);
    HRESULT(STDMETHODCALLTYPE *LockRegion)
    (IStream *This, ULARGE_INTEGER offset, ULARGE_INTEGER size, DWORD type);
    HRESULT(STDMETHODCALLTYPE *UnlockRegion)
    (IStream *This, ULARGE_INTEGER offset, ULARGE_INTEGER size, DWORD type);
    HRESULT(STDMETHODCALLTYPE *Stat)(IStream *This, STATSTG *status, DWORD flags);
    HRESULT(STDMETHODCALLTYPE *Clone)(IStream *This, IStream **clone);
} IStreamVtbl;
struct IStream {
    const IStreamVtbl *lpVtbl;
};

#define ISequentialStream_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define ISequentialStream_AddRef(This)  (This)->lpVtbl->AddRef(This)
#define ISequentialStream_Release(This) (This)->lpVtbl->Release(This)
#define ISequentialStream_Read(This, data, size, n_read) \
    (This)->lpVtbl->Read(This, data, size, n_read)
#define ISequentialStream_Write(This, data, size, n_written) \
    (This)->lpVtbl->Write(This, data, size, n_written)

#define IStream_QueryInterface(This, iid, object) (This)->lpVtbl->QueryInterface(This, iid, object)
#define IStream_AddRef(This)                      (This)->lpVtbl->AddRef(This)
#define IStream_Release(This)                     (This)->lpVtbl->Release(This)
#define IStream_Read(This, data, size, n_read)    (This)->lpVtbl->Read(This, data, size, n_read)
#define IStream_Write(This, data, size, n_written) \
    (This)->lpVtbl->Write(This, data, size, n_written)
#define IStream_Seek(This, move, origin, position) \
    (This)->lpVtbl->Seek(This, move, origin, position)
#define IStream_SetSize(This, size) (This)->lpVtbl->SetSize(This, size)
#define IStream_CopyTo(This, stream, size, n_read, n_written) \
    (This)->lpVtbl->CopyTo(This, stream, size, n_read, n_written)
#define IStream_Commit(This, flags) (This)->lpVtbl->Commit(This, flags)
#define IStream_Revert(This)        (This)->lpVtbl->Revert(This)
#define IStream_LockRegion(This, offset, size, type) \
    (This)->lpVtbl->LockRegion(This, offset, size, type)
#define IStream_UnlockRegion(This, offset, size, type) \
    (This)->lpVtbl->UnlockRegion(This, offset, size, type)
#define IStream_Stat(This, status, flags) (This)->lpVtbl->Stat(This, status, flags)
#define IStream_Clone(This, clone)        (This)->lpVtbl->Clone(This, clone)

#endif /* __cplusplus */

#endif /* _WIN32 */

#ifdef __cplusplus
extern "C" {
#endif

/* A stream over memory of its own, with `size` bytes at the start, copied from `data` (NULL: they
 * are zero). It grows as it is written, and its clones share it. E_OUTOFMEMORY. */
VIA_API HRESULT via_stream_on_memory(const void *data, size_t size, IStream **stream);

/* A stream over an open file, pipe or socket: what read() and write(), ReadFile() and WriteFile()
 * take. It takes the handle over, and closes it with its last reference; after a failure it is the
 * caller's still. Where the file has no position, Seek and what needs it fail with
 * STG_E_INVALIDFUNCTION. A Read that finds the end gives fewer bytes and S_FALSE; one of a pipe
 * gives what there is, S_OK, and waits only while there is nothing. Clones have a position of their
 * own that starts where this one is. */
VIA_API HRESULT via_stream_on_handle(VIA_HANDLE handle, IStream **stream);

#ifdef __cplusplus
}
#endif

#endif
