/*
 * A client in C of VBScript.RegExp and Msxml2.DOMDocument, which calls them through their vtables:
 * collections with default, parameterised properties, objects in and out; and, for named arguments,
 * which vtables have none of, a method by its name. `viaduct introspect CLASS
 * --header` has made its only descriptions; their tables are compiled each by itself. What it
 * writes is what cscript does with the steps of early_texts.txt.
 *
 *     early_texts HOST
 */
#include "msxml.h"
#include "regexp.h"
#include "scripting.h"
#include "tests/com/early_steps.h"

#include <stdio.h>
#include <viaduct/enumerators.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

static VARIANT text_variant(BSTR text)
{
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_BSTR;
    V_BSTR(&value) = text;
    return value;
}

/* The objects of a collection, as `print` prints each. */
static void print_each(HRESULT hr, IUnknown *unknown, HRESULT (*print)(IUnknown *item))
{
    IEnumVARIANT *items = NULL;
    VARIANT item;
    if (SUCCEEDED(hr)) {
        hr = IUnknown_QueryInterface(unknown, &IID_IEnumVARIANT, (void **)&items);
        IUnknown_Release(unknown);
    }
    if (failed(hr))
        return;
    VariantInit(&item);
    for (int n = 0; IEnumVARIANT_Next(items, 1, &item, NULL) == S_OK; n++) {
        printf("%s", n > 0 ? "," : "");
        if (V_VT(&item) != VT_DISPATCH || FAILED(print(V_UNKNOWN(&item))))
            printf("?");
        VariantClear(&item);
    }
    printf("\n");
    IEnumVARIANT_Release(items);
}

/* --- regular expressions --- */

static HRESULT print_match(IUnknown *item)
{
    IMatch2 *match = NULL;
    BSTR text = NULL;
    HRESULT hr = IUnknown_QueryInterface(item, &IID_IMatch2, (void **)&match);
    if (FAILED(hr))
        return hr;
    hr = IMatch2_get_Value(match, &text);
    print_bstr(text);
    SysFreeString(text);
    IMatch2_Release(match);
    return hr;
}

static void look_at_match(IDispatch *object)
{
    IMatch2 *match = NULL;
    ISubMatches *parts = NULL;
    IDispatch *dispatch = NULL;
    BSTR text = NULL;
    LONG number = 0;
    VARIANT part;
    VariantInit(&part);
    done(object == NULL ? E_POINTER
                        : IDispatch_QueryInterface(object, &IID_IMatch2, (void **)&match));
    if (match == NULL)
        return;
    HRESULT hr = IMatch2_get_Value(match, &text);
    got_bstr(hr, text);
    hr = IMatch2_get_FirstIndex(match, &number);
    got_number(hr, number);
    hr = IMatch2_get_SubMatches(match, &dispatch);
    if (SUCCEEDED(hr))
        hr = IDispatch_QueryInterface(dispatch, &IID_ISubMatches, (void **)&parts);
    done(hr);
    if (parts != NULL) {
        hr = ISubMatches_get_Item(parts, 1, &part);
        got_bstr(hr, V_VT(&part) == VT_BSTR ? V_BSTR(&part) : NULL);
        ISubMatches_Release(parts);
    }
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    IMatch2_Release(match);
}

static void look_at_matches(IDispatch *object)
{
    IMatchCollection2 *matches = NULL;
    IDispatch *match = NULL;
    IUnknown *all = NULL;
    LONG n = 0;
    done(object == NULL
             ? E_POINTER
             : IDispatch_QueryInterface(object, &IID_IMatchCollection2, (void **)&matches));
    if (matches == NULL)
        return;
    HRESULT hr = IMatchCollection2_get_Count(matches, &n);
    got_number(hr, n);
    hr = IMatchCollection2_get__NewEnum(matches, &all);
    print_each(hr, all, print_match);
    IMatchCollection2_get_Item(matches, 1, &match);
    look_at_match(match);
    if (match != NULL)
        IDispatch_Release(match);
    IMatchCollection2_Release(matches);
}

static void play_expression(IRegExp2 *expression)
{
    BSTR pattern = SysAllocString(VIA_STR("(\\w)(\\d+)"));
    BSTR text = SysAllocString(VIA_STR("a12 b345"));
    VARIANT with = text_variant(SysAllocString(VIA_STR("$2$1")));
    VARIANT_BOOL is = VARIANT_FALSE;
    IDispatch *matches = NULL;
    BSTR result = NULL;
    done(IRegExp2_put_Pattern(expression, pattern));
    done(IRegExp2_put_Global(expression, VARIANT_TRUE));
    HRESULT hr = IRegExp2_get_Global(expression, &is);
    got_bool(hr, is);
    hr = IRegExp2_Test(expression, text, &is);
    got_bool(hr, is);
    hr = IRegExp2_Replace(expression, text, with, &result);
    got_bstr(hr, result);
    IRegExp2_Execute(expression, text, &matches);
    look_at_matches(matches);
    if (matches != NULL)
        IDispatch_Release(matches);
    SysFreeString(pattern);
    SysFreeString(text);
    VariantClear(&with);
}

/* --- documents --- */

static void look_at_node(IXMLDOMNode *node)
{
    BSTR text = NULL;
    HRESULT hr = IXMLDOMNode_get_text(node, &text);
    got_bstr(hr, text);
    hr = IXMLDOMNode_get_nodeName(node, &text);
    got_bstr(hr, text);
}

static void look_at_list(IXMLDOMNodeList *list)
{
    IXMLDOMNode *node = NULL;
    LONG n = 0;
    HRESULT hr = IXMLDOMNodeList_get_length(list, &n);
    got_number(hr, n);
    done(IXMLDOMNodeList_get_item(list, 1, &node));
    if (node == NULL)
        return;
    look_at_node(node);
    IXMLDOMNode_Release(node);
}

/* Objects in: the new node, and none to insert it in front of. */
static void add_node(IXMLDOMDocument *document)
{
    BSTR name = SysAllocString(VIA_STR("made"));
    IXMLDOMElement *root = NULL;
    IXMLDOMElement *made = NULL;
    IXMLDOMNode *added = NULL;
    BSTR text = NULL;
    VARIANT nowhere;
    VariantInit(&nowhere);
    V_VT(&nowhere) = VT_NULL;
    done(IXMLDOMDocument_get_documentElement(document, &root));
    done(IXMLDOMDocument_createElement(document, name, &made));
    if (root != NULL && made != NULL) {
        done(IXMLDOMElement_insertBefore(root, (IXMLDOMNode *)made, nowhere, &added));
        HRESULT hr = IXMLDOMElement_get_xml(root, &text);
        got_bstr(hr, text);
    }
    if (added != NULL)
        IXMLDOMNode_Release(added);
    if (made != NULL)
        IXMLDOMElement_Release(made);
    if (root != NULL)
        IXMLDOMElement_Release(root);
    SysFreeString(name);
}

static void look_at_mistake(IXMLDOMDocument *document)
{
    BSTR broken = SysAllocString(VIA_STR("<broken>"));
    IXMLDOMParseError *mistake = NULL;
    VARIANT_BOOL is_good = VARIANT_TRUE;
    LONG line = 0;
    BSTR text = NULL;
    HRESULT hr = IXMLDOMDocument_loadXML(document, broken, &is_good);
    got_bool(hr, is_good);
    done(IXMLDOMDocument_get_parseError(document, &mistake));
    if (mistake != NULL) {
        hr = IXMLDOMParseError_get_line(mistake, &line);
        got_number(hr, line);
        hr = IXMLDOMParseError_get_srcText(mistake, &text);
        got_bstr(hr, text);
        IXMLDOMParseError_Release(mistake);
    }
    SysFreeString(broken);
}

static void play_document(IXMLDOMDocument *document)
{
    BSTR shop = SysAllocString(VIA_STR("<shop><item>tea</item><item>milk</item></shop>"));
    BSTR path = SysAllocString(VIA_STR("//item"));
    IXMLDOMNodeList *list = NULL;
    VARIANT_BOOL is_good = VARIANT_FALSE;
    done(IXMLDOMDocument_put_async(document, VARIANT_FALSE));
    HRESULT hr = IXMLDOMDocument_loadXML(document, shop, &is_good);
    got_bool(hr, is_good);
    done(IXMLDOMDocument_selectNodes(document, path, &list));
    if (list != NULL) {
        look_at_list(list);
        IXMLDOMNodeList_Release(list);
    }
    add_node(document);
    look_at_mistake(document);
    SysFreeString(shop);
    SysFreeString(path);
}

/* --- properties with parameters, and names of arguments --- */

static void play_dictionary(IDictionary *dictionary)
{
    VARIANT one = text_variant(SysAllocString(VIA_STR("one")));
    VARIANT other = text_variant(SysAllocString(VIA_STR("other")));
    VARIANT number = number_variant(11);
    VARIANT_BOOL is_there = VARIANT_FALSE;
    LONG found = 0;
    done(IDictionary_put_Item(dictionary, &one, &number));
    done(IDictionary_put_Key(dictionary, &one, &other));
    HRESULT hr = IDictionary_Exists(dictionary, &one, &is_there);
    got_bool(hr, is_there);
    hr = via_invoke((IUnknown *)dictionary, "Item", via_named("Key", "other"), &found);
    got_number(hr, found);
    VariantClear(&one);
    VariantClear(&other);
}

static void *create(const char *progid, const char *host, const GUID *iid)
{
    char name[256];
    void *object = NULL;
    snprintf(name, sizeof name, "%s@%s", progid, host);
    done(via_create_instance(name, iid, &object));
    return object;
}

int main(int argc, char **argv)
{
    static const struct via_typelib *const libraries[] = {&VBScript_RegExp_55_typelib,
                                                          &MSXML2_typelib, &Scripting_typelib};
    HRESULT hr = argc == 2 ? via_initialize(NULL) : E_INVALIDARG;
    for (int i = 0; i < 3 && SUCCEEDED(hr); i++)
        hr = via_register_typelib(libraries[i]);
    if (FAILED(hr)) {
        fprintf(stderr, "early_texts HOST: 0x%08X\n", (unsigned)hr);
        return 1;
    }
    IRegExp2 *expression = create("VBScript.RegExp", argv[1], &IID_IRegExp2);
    if (expression != NULL) {
        play_expression(expression);
        IRegExp2_Release(expression);
    }
    IXMLDOMDocument *document = create("Msxml2.DOMDocument", argv[1], &IID_IXMLDOMDocument);
    if (document != NULL) {
        play_document(document);
        IXMLDOMDocument_Release(document);
    }
    IDictionary *dictionary = create("Scripting.Dictionary", argv[1], &IID_IDictionary);
    if (dictionary != NULL) {
        play_dictionary(dictionary);
        IDictionary_Release(dictionary);
    }
    via_uninitialize();
    return 0;
}
