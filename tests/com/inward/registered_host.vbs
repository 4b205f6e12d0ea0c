' The registry says which host has the class; VIADUCT_HOST says another one.
Dim calculator
On Error Resume Next
Set calculator = CreateObject("Viaduct.Calculator")
WScript.Echo "sum: " & calculator.Add(40, 2)
WScript.Echo "done"
