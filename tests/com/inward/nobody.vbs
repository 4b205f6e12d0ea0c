' There is no host.
Dim calculator
On Error Resume Next
Set calculator = CreateObject("Viaduct.Calculator")
WScript.Echo "there is one: " & CStr(Err.Number = 0)
WScript.Echo "done"
