' What a script is told of the system that the object runs on, and a board. What it writes is in system.vbs.txt.
Option Explicit
Dim sysinfo, board, system, processes, n
Sub Say(what, value)
    If Err.Number = 0 Then
        WScript.Echo what & ": " & value
    Else
        WScript.Echo what & ": error " & Hex(Err.Number) & " " & Err.Source & ": " & Err.Description
    End If
    Err.Clear
End Sub
On Error Resume Next
Set sysinfo = CreateObject("Viaduct.SysInfo")
' No engine looks into a struct (36, and with 8192 an array of them), but a script can pass it on.
sysinfo.Describe system
Say "Describe", VarType(system)
sysinfo.ListProcesses n, processes
Say "ListProcesses", CStr(n > 1) & " " & VarType(processes)
Say "ReadVariable", sysinfo.ReadVariable("VIADUCT_INWARD")
Say "ReadTextFile", Replace(sysinfo.ReadTextFile("/proc/self/comm"), vbLf, "")
sysinfo.ReadTextFile "/no such file"
Say "no such file", ""
n = sysinfo.ReadRegistry("HKLM\Software", "x")
Say "ReadRegistry", ""
Say "ReadProcessId", CStr(sysinfo.ReadProcessId > 1)
Set board = CreateObject("Viaduct.Board")
Say "CountListeners", board.CountListeners
n = board.Post("from a script")
Say "Post", CStr(n > 0)
Say "WaitFor", CStr(board.WaitFor(50) > 0)
Say "Post more", CStr(board.Post("again") > n)
WScript.Echo "done"
