' What a script is told of the system that the object runs on, and a board. What it writes is in system.vbs.txt.
Option Explicit
Dim sysinfo, board, system, processes, process, found, n
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
' A struct is an object; what comes out may come back by reference, or as what is returned.
sysinfo.Describe system
Say "Describe", system.kind & " " & CStr(system.processorCount > 0) & " " & CStr(system.totalMemory > system.freeMemory) & " " & CStr(Len(system.hostName) > 0)
Set system = Nothing
Set system = sysinfo.Describe
Say "Describe, returned", CStr(CLng(system.processId) = CLng(sysinfo.ReadProcessId)) & " " & CStr(InStr(system.directory, "/") = 1)
sysinfo.ListProcesses n, processes
Say "ListProcesses", CStr(n > 1) & " " & CStr(UBound(processes) + 1 = n) & " " & CStr(processes(0).processId > 0)
found = ""
For Each process In sysinfo.ListProcesses
    If CLng(process.processId) = CLng(sysinfo.ReadProcessId) Then found = process.name
Next
Say "ListProcesses, returned", found
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
