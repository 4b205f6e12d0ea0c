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
say("Divide", function () { return calculator.Divide(1, 4) * 100; });
say("Divide by zero", function () { return calculator.Divide(1, 0); });
say("Multiply", function () { return calculator.Multiply(1, 2); });
var outline = new ActiveXObject("Viaduct.Outline");
say("Title", function () { return outline.Title; });
say("Find", function () { return outline.Find("Materials").Find("Stone").Text; });
WScript.Echo("done");
