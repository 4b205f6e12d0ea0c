// The same in JScript; what it writes is in shelf.js.txt.
function say(what, act) {
    var text;
    try {
        text = "" + act();
    } catch (error) {
        text = "error " + (error.number >>> 0).toString(16) + " " + error.message;
    }
    WScript.Echo(what + ": " + text);
}
var shelf = new ActiveXObject("Test.Shelf");
say("Count", function () { return shelf.Count; });
say("default property", function () { return shelf(1); });
say("parameterised property", function () { return shelf.Item(2); });
say("Enumerator", function () {
    var all = "";
    for (var e = new Enumerator(shelf); !e.atEnd(); e.moveNext())
        all += e.item() + " ";
    return all;
});
say("wrong index", function () { return shelf(7); });
say("enumeration", function () { shelf.Colour = 4; return shelf.Colour; });
say("optional", function () { return shelf.Label("ab"); });
say("one optional", function () { return shelf.Label("ab", 3); });
say("all", function () { return shelf.Label("ab", 1, "!"); });
say("Fail", function () { shelf.Fail(0x80040201 | 0, "on purpose"); });
say("a function", function () {
    return shelf.Each(function (index, text) { return text.length + index * 100; });
});
say("a closure", function () {
    var texts = [];
    shelf.Each(function (index, text) { texts[index] = text; return 0; });
    return texts.join(" ");
});
say("a call within a call", function () {
    return shelf.Each(function (index, text) { return shelf.Count; });
});
say("Pack", function () {
    var box = shelf.Pack("a box");
    return box.label + " " + box.place.row + " " + box.place.column + " " + new VBArray(box.sizes).toArray().join(" ");
});
say("passed back", function () { return shelf.Measure(shelf.Pack("a box")); });
say("of the script", function () {
    return shelf.Measure({ label: "b", place: { row: 5, column: 6 }, sizes: [2, 3, 7] });
});
say("no place", function () { return shelf.Measure({ label: "b", sizes: [] }); });
var sysinfo = new ActiveXObject("Viaduct.SysInfo");
say("SysInfo", function () {
    return (sysinfo.ReadProcessId() > 1) + " " + sysinfo.ReadVariable("VIADUCT_INWARD");
});
WScript.Echo("done");
