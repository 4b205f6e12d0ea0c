// The same in JScript, with a bell of the script; what it writes is in bell.js.txt.
var first = new ActiveXObject("Test.Bell.1"), second = new ActiveXObject("Test.Bell.2");
WScript.Echo("first: " + first.Name + " " + first.Ring(2));
WScript.Echo("second: " + second.Name + " " + second.Ring(2));
WScript.Echo("newest: " + new ActiveXObject("Test.Bell").Name);
WScript.Echo("its twin: " + first.Twin().Name + " " + first.Twin().Ring(1));
WScript.Echo("asked: " + first.Ask(second.Twin()));
WScript.Echo("asked of a script's: " + first.Ask({ Name: "mine", Ring: function (times) { return "bim" + times; } }));
WScript.Echo("done");
