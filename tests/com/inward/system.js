// The same in JScript; what it writes is in system.js.txt. The board's is in events.js.
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
// What comes back by reference only, JScript does not get.
say("Describe", function () { return sysinfo.Describe({}); });
say("ListProcesses", function () { return sysinfo.ListProcesses(0, {}); });
say("ReadVariable", function () { return sysinfo.ReadVariable("VIADUCT_INWARD"); });
say("ReadTextFile", function () { return sysinfo.ReadTextFile("/proc/self/comm").replace("\n", ""); });
say("no such file", function () { return sysinfo.ReadTextFile("/no such file"); });
say("ReadRegistry", function () { return sysinfo.ReadRegistry("HKLM\\Software", "x"); });
say("ReadProcessId", function () { return sysinfo.ReadProcessId() > 1; });
WScript.Echo("done");
