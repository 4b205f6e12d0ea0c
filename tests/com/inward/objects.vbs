' What a script does with objects that live on Linux. What it writes is in objects.vbs.txt.
Option Explicit
Sub Say(what, value)
    If Err.Number = 0 Then
        WScript.Echo what & ": " & value
    Else
        WScript.Echo what & ": error " & Hex(Err.Number) & " " & Err.Description
    End If
    Err.Clear
End Sub
Dim calculator, result, again, outline, part
On Error Resume Next
Set calculator = CreateObject("Viaduct.Calculator")
result = calculator.Add(40, 2)
Say "Add", result
result = calculator.Divide(1, 4)
Say "Divide", CStr(result * 100)
result = Empty
result = calculator.Divide(1, 0)
Say "Divide by zero", result
result = calculator.Add(2147483647, 1)
Say "Add too much", result
result = calculator.Add(1)
Say "Add one", result
result = calculator.Multiply(1, 2)
Say "Multiply", result
result = calculator.Sum(Array(1, 2, 3.5))
Say "Sum", CStr(result * 10)
Set again = calculator
result = again Is calculator
Say "Is", CStr(result)
Set outline = CreateObject("Viaduct.Outline")
result = outline.Title
Say "Title", result
Say "Text", outline.Text
result = outline.Titles
Say "Titles", result(0) & ", " & result(UBound(result))
Say "one of them", outline.Titles(1)
again = ""
For Each part In outline.Titles
    again = again & part & ";"
Next
Say "each title", again
Set part = outline.Find("Materials").Find("Stone")
Say "Find", part.Text
Set part = Nothing
Set part = outline.Find("no such section")
Say "Find nothing", ""
WScript.Echo "done"
