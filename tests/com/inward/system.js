// The same in JScript; what it writes is in system.js.txt. The board's events are in
// events.js.
function say(what, act) {
    var text;
    try {
        text = "" + act();
    } catch (error) {
        text = "error " + (error.number >>> 0).toString(16) + " " + error.message;
    }
    WScript.Echo(what + ": " + text);
}
var sysinfo = new ActiveXObject("Viaduct.SysInfo");
// JScript passes no references: what comes out is what is returned.
say("Describe", function () {
    var system = sysinfo.Describe();
    return system.kind + " " + (system.processorCount > 0) + " " + (system.totalMemory > system.freeMemory) + " " +
        (system.processId == sysinfo.ReadProcessId()) + " " + (system.directory.charAt(0) == "/");
});
say("ListProcesses", function () {
    var all = new VBArray(sysinfo.ListProcesses()).toArray(), found = "";
    for (var i = 0; i < all.length; i++)
        if (all[i].processId == sysinfo.ReadProcessId())
            found = all[i].name;
    return (all.length > 1) + " " + found;
});
say("Describe, changed", function () { var system = sysinfo.Describe(); system.kind = 2; return system.kind; });
say("ReadVariable", function () { return sysinfo.ReadVariable("VIADUCT_INWARD"); });
say("ReadTextFile", function () { return sysinfo.ReadTextFile("/proc/self/comm").replace("\n", ""); });
say("no such file", function () { return sysinfo.ReadTextFile("/no such file"); });
say("ReadRegistry", function () { return sysinfo.ReadRegistry("HKLM\\Software", "x"); });
say("ReadProcessId", function () { return sysinfo.ReadProcessId() > 1; });
var board = new ActiveXObject("Viaduct.Board");
var posted = 0;
say("CountListeners", function () { return board.CountListeners(); });
say("Post", function () { posted = board.Post("from a script"); return posted > 0; });
say("WaitFor", function () { return board.WaitFor(50) > 0; });
say("Post more", function () { return board.Post("again") > posted; });
WScript.Echo("done");
