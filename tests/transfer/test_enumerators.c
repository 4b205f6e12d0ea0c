/* Enumerators across processes: COM's own and a program's; many items with one call. */
#include "tests/harness/harness.h"

#include <viaduct/enumerators.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "tests/transfer/fixture.h"

TEST(texts_are_enumerated)
{
    struct transfer_peer peer;
    IEnumString *texts = NULL;
    IEnumString *clone = NULL;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK_OK(ITransfer_EnumTexts(peer.root, 5, &texts))) {
        LPOLESTR items[10] = {NULL};
        ULONG n = 0;
        CHECK_OK(IEnumString_Next(texts, 2, items, &n));
        CHECK_EQ(n, 2);
        CHECK(items[0][0] == 'a' && items[0][1] == 0 && items[1][0] == 'b');
        CoTaskMemFree(items[0]);
        CoTaskMemFree(items[1]);
        CHECK_OK(IEnumString_Clone(texts, &clone));
        CHECK_HR(IEnumString_Next(texts, 10, items, &n), S_FALSE);
        CHECK_EQ(n, 3);
        for (ULONG i = 0; i < n; i++)
            CoTaskMemFree(items[i]);
        CHECK_HR(IEnumString_Next(texts, 1, items, NULL), S_FALSE);
        CHECK_HR(IEnumString_Next(texts, 2, items, NULL), E_POINTER);
        CHECK_OK(IEnumString_Next(clone, 1, items, NULL)); /* one need not be counted */
        CHECK_EQ(items[0][0], 'c');
        CoTaskMemFree(items[0]);
        CHECK_OK(IEnumString_Reset(texts));
        CHECK_OK(IEnumString_Skip(texts, 4));
        CHECK_HR(IEnumString_Skip(texts, 2), S_FALSE);
        IEnumString_Release(clone);
        IEnumString_Release(texts);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(values_are_enumerated)
{
    struct transfer_peer peer;
    IEnumVARIANT *values = NULL;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK_OK(ITransfer_EnumValues(peer.root, 101, &values))) {
        VARIANT items[150];
        ULONG n = 0;
        CHECK_HR(IEnumVARIANT_Next(values, 150, items, &n), S_FALSE);
        CHECK_EQ(n, 101);
        for (ULONG i = 0; i < n; i++) {
            CHECK_EQ(V_VT(&items[i]), i % 2 == 0 ? VT_I4 : VT_BSTR);
            CHECK(i % 2 == 1 ? SysStringLen(V_BSTR(&items[i])) == 3 : V_I4(&items[i]) == (LONG)i);
            VariantClear(&items[i]);
        }
        IEnumVARIANT_Release(values);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(objects_are_enumerated)
{
    struct transfer_peer peer;
    IEnumUnknown *objects = NULL;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK_OK(ITransfer_EnumObjects(peer.root, 20, &objects))) {
        IUnknown *items[30] = {NULL};
        ULONG n = 0;
        CHECK_HR(IEnumUnknown_Next(objects, 30, items, &n), S_FALSE);
        CHECK_EQ(n, 20);
        for (ULONG i = 0; i < n; i++) {
            ITransfer *object = NULL;
            CHECK_OK(IUnknown_QueryInterface(items[i], &IID_ITransfer, (void **)&object));
            if (object != NULL)
                ITransfer_Release(object);
            IUnknown_Release(items[i]);
        }
        IEnumUnknown_Release(objects);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(a_programs_own_are_batched_too)
{
    struct transfer_peer peer;
    IEnumPoint *points = NULL;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK_OK(ITransfer_EnumPoints(peer.root, 1000, &points))) {
        static struct TransferPoint items[2000];
        ULONG n = 0;
        LONG calls = 0;
        CHECK_OK(IEnumPoint_Next(points, 1, items, NULL));
        CHECK_EQ(items[0].x, 0);
        SysFreeString(items[0].name);
        CHECK_HR(IEnumPoint_Next(points, 2000, items, &n), S_FALSE);
        CHECK_EQ(n, 999);
        for (ULONG i = 0; i < n; i++) {
            CHECK_EQ(items[i].x, (LONG)i + 1);
            SysFreeString(items[i].name);
        }
        CHECK_OK(ITransfer_CountNext(peer.root, &calls));
        CHECK_EQ(calls, 2);
        IEnumPoint_Release(points);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(own_ones_need_no_runtime_to_copy)
{
    const WCHAR *const texts[] = {VIA_STR("one"), VIA_STR("two")};
    const WCHAR *const broken[] = {VIA_STR("one"), NULL};
    IEnumString *enumerator = NULL;
    LPOLESTR items[3];
    ULONG n = 0;
    REQUIRE(transfer_begin());
    CHECK_OK(via_enum_strings(texts, 2, &enumerator));
    CHECK_HR(IEnumString_Next(enumerator, 3, items, &n), S_FALSE);
    CHECK_EQ(n, 2);
    CHECK_EQ(items[1][2], 'o');
    CoTaskMemFree(items[0]);
    CoTaskMemFree(items[1]);
    IEnumString_Release(enumerator);
    CHECK_HR(via_enum_strings(broken, 2, &enumerator), E_POINTER);
    CHECK_NULL(enumerator);
    transfer_end();
}

HARNESS_MAIN("enumerators", TEST_ENTRY(texts_are_enumerated), TEST_ENTRY(values_are_enumerated),
             TEST_ENTRY(objects_are_enumerated), TEST_ENTRY(a_programs_own_are_batched_too),
             TEST_ENTRY(own_ones_need_no_runtime_to_copy))
