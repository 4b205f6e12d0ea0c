' Objects of a script that objects on Linux call within its own calls. What it writes is in callbacks.vbs.txt.
Option Explicit
Dim calculator, sysinfo, result, told
Sub Say(what, value)
    If Err.Number = 0 Then
        WScript.Echo what & ": " & value
    Else
        WScript.Echo what & ": error " & Hex(Err.Number) & " " & Err.Source & ": " & Err.Description
    End If
    Err.Clear
End Sub
Class Progress
    Public n
    Public last
    Public Sub Added(index, value, total)
        n = n + 1
        last = index & " " & CStr(total * 10)
        If value = 0 Then Err.Raise &H80040201, "a script", "enough"
    End Sub
End Class
Class Watcher
    Public n
    Public good
    Public Sub Sampled(index, freeMemory, processCount)
        If n = 0 Then good = True
        good = good And index = n And freeMemory > 0 And processCount > 1
        n = n + 1
    End Sub
End Class
On Error Resume Next
Set calculator = CreateObject("Viaduct.Calculator")
Set told = New Progress
result = calculator.SumSlowly(Array(1, 2, 3.5), told)
Say "SumSlowly", CStr(result * 10) & " " & told.n & " " & told.last
Set told = New Progress
result = calculator.SumSlowly(Array(1, 0, 3.5), told)
Say "SumSlowly, ended", ""
Set sysinfo = CreateObject("Viaduct.SysInfo")
Set told = New Watcher
sysinfo.Watch 3, 5, told
Say "Watch", told.n & " " & CStr(told.good)
WScript.Echo "done"
