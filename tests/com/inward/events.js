// Events of a board on Linux, which come while the script waits in its methods.
var board = new ActiveXObject("Viaduct.Board");
var numbers = [], texts = {};
eval('function board::Posted(number, text) { numbers.push(number); texts[text] = true; }');
WScript.Echo("listeners: " + board.CountListeners());
board.Post("from a script");
var posted = board.WaitFor(400);
WScript.Echo("posted: " + (posted > 1));
WScript.Echo("came: " + (numbers.length > 1));
WScript.Echo("texts: " + (texts["from a script"] === true) + " " + (texts["still here"] === true));
var inOrder = true;
for (var i = 1; i < numbers.length; i++)
    inOrder = inOrder && numbers[i] == numbers[i - 1] + 1;
WScript.Echo("in order: " + inOrder);
WScript.Echo("done");
