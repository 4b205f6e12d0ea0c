' Two versions of a class, whose interface is built on one of another library. What it writes is in bell.vbs.txt.
Option Explicit
Dim newest, first, second
Sub Say(what, value)
    If Err.Number = 0 Then
        WScript.Echo what & ": " & value
    Else
        WScript.Echo what & ": error " & Hex(Err.Number) & " " & Err.Description
    End If
    Err.Clear
End Sub
On Error Resume Next
Set first = CreateObject("Test.Bell.1")
Set second = CreateObject("Test.Bell.2")
Set newest = CreateObject("Test.Bell")
Say "first", first.Name & " " & first.Ring(2)
Say "second", second.Name & " " & second.Ring(2)
Say "newest", newest.Name
Say "its twin", first.Twin.Name & " " & first.Twin.Ring(1)
Say "asked", first.Ask(second.Twin)
WScript.Echo "done"
