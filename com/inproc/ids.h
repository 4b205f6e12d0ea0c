/*
 * What is fixed about the in-process server, `viaduct-inproc.dll`: its name, the class of its own,
 * and where it finds in the registry which class of Viaduct a CLSID stands for.
 *
 *     Software\Classes\CLSID\{clsid}\InprocServer32   the DLL's path; ThreadingModel=Both
 *     Software\Classes\CLSID\{clsid}\Viaduct          the class as via_create_instance() takes it
 *                                       ...  Host     the host's address, where it is not the usual
 *                                  ...  Libraries     those that its type library refers to, and
 *                                                     that came with it: "{libid} 1.0;..."
 */
#ifndef COM_INPROC_IDS_H
#define COM_INPROC_IDS_H

#define INPROC_DLL_NAME L"viaduct-inproc.dll"

/* The subkey of a CLSID, and its value beside the default one. */
#define INPROC_CLASS_KEY       L"Viaduct"
#define INPROC_HOST_VALUE      L"Host"
#define INPROC_LIBRARIES_VALUE L"Libraries"

/* The class that makes proxies of what another process has marshalled: registered like the others,
 * without the key above. */
#define INPROC_UNMARSHAL_TEXT "{2965D214-3768-49D2-83D9-A659D31F7B5D}"
#define INPROC_UNMARSHAL_CLSID                             \
    {                                                      \
        0x2965d214, 0x3768, 0x49d2,                        \
        {                                                  \
            0x83, 0xd9, 0xa6, 0x59, 0xd3, 0x1f, 0x7b, 0x5d \
        }                                                  \
    }

#endif
