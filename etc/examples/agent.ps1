# One sample of this computer for the hub, as a line of text: for Windows XP to 8.1 and Server 2003 to 2012, which lamon-agent.exe
# does not run on. It needs PowerShell 2, which Windows 7 has and Microsoft had for XP and 2003. As administrator, once a minute:
#
#     schtasks /create /tn lamon /sc minute /ru SYSTEM /tr "powershell -NoProfile -ExecutionPolicy Bypass -File C:\lamon\agent.ps1 HUB"
#
# usage: agent.ps1 HUB[:PORT] [NODE]        agent.ps1 -n prints the line and sends nothing
#
#   LAMON_INTERVAL  seconds between two runs (60): silence is judged by it
#
# THIS SCRIPT WAS CHECKED BY A PARSER AND NEVER RUN: its authors had no PowerShell. Look at what -n prints before you trust it.
#
# Old Windows knows no TLS that the hub takes: it is sent in plain, from a network of the hub's plain_from. What a system does not
# have is left out. Rates and the CPU are of the second in which it runs. It ends with 0 when the sample is on the hub's disk, 1 when the
# hub refuses it and says why, 69 when the hub is not reached, 2 when it is called wrongly.
param([switch]$n, [string]$Hub, [string]$Node)

if (-not $n -and -not $Hub) {
    [Console]::Error.WriteLine('usage: agent.ps1 HUB[:PORT] [NODE], or agent.ps1 -n')
    exit 2
}
# As the hub wants names: the host name up to its first dot, in small letters.
if (-not $Node) { $Node = [Net.Dns]::GetHostName() }
$Node = ($Node -replace '\..*$', '').ToLowerInvariant() -creplace '[^a-z0-9_-]', '_'
if ($Node.Length -gt 32) { $Node = $Node.Substring(0, 32) }
$interval = $env:LAMON_INTERVAL
if (-not $interval) { $interval = '60' }
$script:line = "node=$Node interval=$interval"

# A point, whatever this country has between the digits.
function Add-Metric($name, $value) {
    if ($value -ne $null) {
        $text = ([double]$value).ToString('0.##', [Globalization.CultureInfo]::InvariantCulture)
        $script:line += " $name=$text"
    }
}

# Idle time of all processors and bytes in and out over interfaces that leave the computer; each with its clock, in 100 ns.
function Get-Counters {
    $cpu = Get-WmiObject Win32_PerfRawData_PerfOS_Processor -Filter "Name='_Total'" -ErrorAction SilentlyContinue
    $received = [double]0
    $sent = [double]0
    $time = $null
    foreach ($nic in @(Get-WmiObject Win32_PerfRawData_Tcpip_NetworkInterface -ErrorAction SilentlyContinue)) {
        if ($nic -and $nic.Name -notmatch 'isatap|teredo|6to4|loopback|pseudo') {
            $received += [double]$nic.BytesReceivedPersec
            $sent += [double]$nic.BytesSentPersec
            $time = [double]$nic.Timestamp_Sys100NS
        }
    }
    @{ Cpu = $cpu; Received = $received; Sent = $sent; Time = $time }
}

$before = Get-Counters
Start-Sleep -Seconds 1
$after = Get-Counters

if ($before.Cpu -and $after.Cpu) {
    $idle = [double]$after.Cpu.PercentProcessorTime - [double]$before.Cpu.PercentProcessorTime
    $passed = [double]$after.Cpu.Timestamp_Sys100NS - [double]$before.Cpu.Timestamp_Sys100NS
    if ($passed -gt 0) {
        Add-Metric 'cpu_percent' ([Math]::Max([double]0, [Math]::Min([double]100, [double](100 * (1 - $idle / $passed)))))
    }
}
$os = Get-WmiObject Win32_OperatingSystem -ErrorAction SilentlyContinue
if ($os -and $os.TotalVisibleMemorySize) {
    $total = [double]$os.TotalVisibleMemorySize
    Add-Metric 'memory_percent' (100 * ($total - [double]$os.FreePhysicalMemory) / $total)
}
$files = [double]0
$taken = [double]0
foreach ($file in @(Get-WmiObject Win32_PageFileUsage -ErrorAction SilentlyContinue)) {
    if ($file) {
        $files += [double]$file.AllocatedBaseSize
        $taken += [double]$file.CurrentUsage
    }
}
if ($files -gt 0) { Add-Metric 'swap_percent' (100 * $taken / $files) }
# Disks of this computer alone: a server that is away must not hang this.
$fullest = $null
foreach ($disk in @(Get-WmiObject Win32_LogicalDisk -Filter 'DriveType=3' -ErrorAction SilentlyContinue)) {
    if ($disk -and $disk.Size) {
        $full = 100 * ([double]$disk.Size - [double]$disk.FreeSpace) / [double]$disk.Size
        if ($fullest -eq $null -or $full -gt $fullest) { $fullest = $full }
    }
}
Add-Metric 'disk_percent' $fullest
if ($before.Time -ne $null -and $after.Time -ne $null -and $after.Time -gt $before.Time) {
    $seconds = ($after.Time - $before.Time) / 1e7
    # The counters of old systems begin anew every 4 GB: that second has none.
    if ($after.Received -ge $before.Received -and $after.Sent -ge $before.Sent) {
        Add-Metric 'nic_in' ([Math]::Round(($after.Received - $before.Received) / $seconds))
        Add-Metric 'nic_out' ([Math]::Round(($after.Sent - $before.Sent) / $seconds))
    }
}
if ($os) {
    Add-Metric 'processes' $os.NumberOfProcesses
    $booted = $os.ConvertToDateTime($os.LastBootUpTime).ToUniversalTime()
    Add-Metric 'uptime' ([Math]::Round(((Get-Date).ToUniversalTime() - $booted).TotalSeconds))
}

if ($n) {
    Write-Output $script:line
    exit 0
}

$name = $Hub
$port = 7617
$family = [Net.Sockets.AddressFamily]::InterNetwork
if ($Hub -match '^\[([^\]]+)\](:(\d+))?$') {
    $name = $matches[1]
    if ($matches[3]) { $port = [int]$matches[3] }
    $family = [Net.Sockets.AddressFamily]::InterNetworkV6
} elseif ($Hub -match '^([^:]+):(\d+)$') {
    $name = $matches[1]
    $port = [int]$matches[2]
}
$answer = $null
$client = New-Object Net.Sockets.TcpClient -ArgumentList $family
try {
    $connecting = $client.BeginConnect($name, $port, $null, $null)
    if ($connecting.AsyncWaitHandle.WaitOne(10000, $false)) {
        $client.EndConnect($connecting)
        $client.SendTimeout = 15000
        $client.ReceiveTimeout = 15000
        $stream = $client.GetStream()
        $bytes = [Text.Encoding]::ASCII.GetBytes($script:line + "`n")
        $stream.Write($bytes, 0, $bytes.Length)
        $reader = New-Object IO.StreamReader -ArgumentList $stream
        $answer = $reader.ReadLine()
    }
} catch {
    # No answer, which is told below.
    $answer = $null
} finally {
    $client.Close()
}
if ($answer -eq 'ok') { exit 0 }
if (-not $answer) {
    [Console]::Error.WriteLine("agent.ps1: no answer from $Hub")
    exit 69
}
[Console]::Error.WriteLine("agent.ps1: $Hub says $answer")
exit 1
