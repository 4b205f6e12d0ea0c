// The same in JScript; what it writes is in callbacks.js.txt.
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
say("SumSlowly", function () {
    var told = [];
    var progress = { Added: function (index, value, total) { told[index] = value + "=" + total; } };
    return calculator.SumSlowly([1, 2, 3.5], progress) + " " + told.join(" ");
});
say("SumSlowly, a function", function () {
    var n = 0;
    return calculator.SumSlowly([1, 2, 3.5], function () { n++; }) + " " + n;
});
say("SumSlowly, ended", function () {
    return calculator.SumSlowly([1, 2, 3.5], function (index) { if (index == 1) throw new Error(0x80040201 | 0, "enough"); });
});
var sysinfo = new ActiveXObject("Viaduct.SysInfo");
say("Watch", function () {
    var n = 0, good = true;
    sysinfo.Watch(3, 5, {
        Sampled: function (index, freeMemory, processCount) {
            good = good && index == n++ && freeMemory > 0 && processCount > 1;
        }
    });
    return n + " " + good;
});
say("Watch, a function", function () { var n = 0; sysinfo.Watch(3, 5, function () { n++; }); return n; });
WScript.Echo("done");
