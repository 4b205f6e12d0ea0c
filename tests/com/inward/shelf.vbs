' What VBScript can say to an object on Linux. What it writes is in shelf.vbs.txt.
Option Explicit
Dim shelf, text, all, a, b, n
Sub Say(what, value)
    If Err.Number = 0 Then
        WScript.Echo what & ": " & value
    Else
        WScript.Echo what & ": error " & Hex(Err.Number) & " " & Err.Source & ": " & Err.Description
    End If
    Err.Clear
End Sub
Class Counter
    Public n
    Public Default Function Add(index, text)
        n = n + 1
        Add = n
    End Function
End Class
Class Place
    Public row
    Public column
End Class
Class Box
    Public label
    Public place
    Public sizes
End Class
On Error Resume Next
Set shelf = CreateObject("Test.Shelf")
Say "Count", shelf.Count
Say "default property", shelf(1)
Say "parameterised property", shelf.Item(2)
shelf(1) = "zwei"
shelf.Item(2) = "drei"
all = ""
For Each text In shelf
    all = all & text & " "
Next
Say "For Each", all
n = 0
For Each text In shelf
    n = n + 1
    If n = 1 Then Exit For
Next
Say "left early", n
text = ""
text = shelf(7)
Say "wrong index", text
shelf.Colour = 4
Say "enumeration", shelf.Colour
a = "left"
b = 5
shelf.Swap a, b
Say "by reference", a & " " & b
shelf.Split 42, a, b
Say "out", a & " " & b
Say "optional", shelf.Label("ab")
Say "one optional", shelf.Label("ab", 3)
Say "all", shelf.Label("ab", 1, "!")
Say "left out", shelf.Label("ab", , "!")
shelf.Fail &H80040201, "on purpose"
Say "Fail", ""
' An object of the script; Wine's has no GetRef.
Set a = New Counter
n = shelf.Each(a)
Say "an object", n & " " & a.n
' Structs: what a call returns, and an object of the script.
Set a = Nothing
Set a = shelf.Pack("a box")
Say "Pack", a.label & " " & a.place.row & " " & a.PLACE.Column & " " & a.sizes(1)
Say "passed back", shelf.Measure(a)
Set b = New Box
b.label = "b"
b.sizes = Array(2, 3, 7)
Set b.place = New Place
b.place.row = 5
b.place.column = 6
Say "of the script", shelf.Measure(b)
b.place = Empty
n = shelf.Measure(b)
Say "no place", ""
n = shelf.Measure(shelf)
Say "another object", ""
a.label = "c"
Say "set", a.label
Set b = Nothing
Set b = CreateObject("Viaduct.SysInfo")
' An unsigned number, which VBScript cannot compare.
Say "SysInfo", CStr(CLng(b.ReadProcessId) > 1) & " " & b.ReadVariable("VIADUCT_INWARD")
b.ReadTextFile "/no such file"
Say "no such file", ""
WScript.Echo "done"
