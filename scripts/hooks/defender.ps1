# Tells the Sekisho gateway what Microsoft Defender found on this device. See README.md beside it.
#
# Once, in an elevated PowerShell (Windows 10 or newer), with this file in C:\ProgramData\Sekisho:
#   icacls C:\ProgramData\Sekisho /inheritance:r /grant "SYSTEM:(OI)(CI)F" "Administrators:(OI)(CI)F"
#   schtasks /Create /TN Sekisho /RU SYSTEM /SC ONEVENT /EC "Microsoft-Windows-Windows Defender/Operational" `
#     /MO "*[System[(EventID=1116 or EventID=1117)]]" `
#     /TR "powershell.exe -NoProfile -ExecutionPolicy Bypass -File C:\ProgramData\Sekisho\defender.ps1"
# Event 1116: malware was detected; 1117: an action was taken on it.
param([string]$Conf = "$env:ProgramData\Sekisho\hook.conf", [int]$Minutes = 10)
$ErrorActionPreference = 'Stop'

function Write-Told([string]$Text) {
  Add-Content -Path "$env:ProgramData\Sekisho\hook.log" -Encoding UTF8 -Value "$(Get-Date -Format o) $Text"
}

try {
  $settings = @{}
  foreach ($line in Get-Content -Path $Conf -Encoding UTF8) {
    if ($line -match '^\s*(url|token)\s*=\s*(\S+)\s*$') { $settings[$Matches[1]] = $Matches[2] }
  }
  if (-not $settings.url -or -not $settings.token) { throw "$Conf has no url and token" }

  $found = Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{
    LogName = 'Microsoft-Windows-Windows Defender/Operational'; Id = 1116, 1117
    StartTime = (Get-Date).AddMinutes(-$Minutes)
  }
  foreach ($event in $found) {
    $data = @{}
    foreach ($each in ([xml]$event.ToXml()).Event.EventData.Data) { $data[$each.Name] = [string]$each.'#text' }
    $severity = switch ($data['Severity ID']) { '1' { 'low' } '2' { 'medium' } '4' { 'high' } '5' { 'critical' } default { 'high' } }
    $detail = ("{0} in {1}" -f $data['Threat Name'], $data['Path']) -replace '[\x00-\x1f\x7f]', ' '
    if ($detail.Length -gt 60) { $detail = $detail.Substring(0, 60) }
    # The same detection is one flag, however often its events are read.
    $sha = [System.Security.Cryptography.SHA256]::Create()
    $name = [Text.Encoding]::UTF8.GetBytes("$env:COMPUTERNAME|$($data['Detection ID'])")
    $key = [BitConverter]::ToString($sha.ComputeHash($name)).Replace('-', '').ToLowerInvariant()
    $body = @{ source = 'defender'; severity = $severity; detail = $detail; key = $key } | ConvertTo-Json -Compress

    for ($left = 19; $left -ge 0; $left--) {
      try {
        $answer = Invoke-RestMethod -Method Post -Uri $settings.url -TimeoutSec 15 -ContentType 'application/json; charset=utf-8' `
          -Headers @{ Authorization = "Bearer $($settings.token)" } -Body ([Text.Encoding]::UTF8.GetBytes($body))
        Write-Told "the gateway was told of ${detail}: $($answer.state)"
        break
      } catch {
        if ($left -eq 0) { Write-Told "the gateway was NOT told of ${detail}: $_" } else { Start-Sleep -Seconds 3 }
      }
    }
  }
} catch {
  Write-Told "the gateway was NOT told: $_"
}
