// The same in JScript; what it writes is in objects.js.txt.
function say(what, act) {
    var text;
    try {
        text = "" + act();
    } catch (error) {
        text = "error " + (error.number >>> 0).toString(16) + " " + error.message;
    }
    WScript.Echo(what + ": " + text);
}
var calculator = new ActiveXObject("Viaduct.Calculator");
say("Add", function () { return calculator.Add(40, 2); });
say("Add too much", function () { return calculator.Add(2147483647, 1); });
say("Add one", function () { return calculator.Add(1); });
say("Divide", function () { return calculator.Divide(1, 4) * 100; });
say("Divide by zero", function () { return calculator.Divide(1, 0); });
say("Multiply", function () { return calculator.Multiply(1, 2); });
say("Sum", function () { return calculator.Sum([1, 2, 3.5]); });
say("Sum of nothing", function () { return calculator.Sum([]); });
say("Sum of a text", function () { return calculator.Sum("1"); });
say("Is", function () { var again = calculator; return again === calculator; });
var outline = new ActiveXObject("Viaduct.Outline");
say("Title", function () { return outline.Title; });
say("Text", function () { return outline.Text; });
say("Titles", function () { return new VBArray(outline.Titles).toArray().join(", "); });
say("Find nothing", function () { return outline.Find("no such section"); });
say("Find", function () { return outline.Find("Materials").Find("Stone").Text; });
WScript.Echo("done");
