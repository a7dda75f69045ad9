; Template of the installer for Windows; build.py fills in version, name and kinds of files and puts the script
; into dist/. Everything is installed for the one user, so no administrator is needed; /ALLUSERS on the command
; line installs it for all. docs/WINDOWS.md has the options of a silent installation.

[Setup]
AppId={{7C1B7F0E-6B5E-4B0B-9E0C-2D0B6A6E7A51}
AppName=Anonator
AppVersion=$version
AppVerName=Anonator $version
AppPublisher=The Anonator authors
DefaultDirName={autopf}\Anonator
DefaultGroupName=Anonator
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0
LicenseFile=Anonator\LICENSE
SetupIconFile=..\src\anonator\ui\assets\icon.ico
UninstallDisplayIcon={app}\Anonator.exe
OutputDir=.
OutputBaseFilename=$name
Compression=lzma2/normal
SolidCompression=no
; a setup of one file ends at 2.1 GB, which the flavour with CUDA may exceed; with "yes" even a small one comes with a
; second file, Anonator-...-1.bin
DiskSpanning=$spanning
DiskSliceSize=max
WizardStyle=modern
ChangesAssociations=yes
; a running copy is asked to close: it cancels its job and leaves nothing half-done
CloseApplications=yes
; "Send to" belongs to a user, also where the program is installed for all
UsedUserAreasWarning=no

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; GroupDescription: "{cm:AdditionalIcons}"
Name: "sendto"; Description: "Offer Anonator under ""Send to"" of videos and folders"; GroupDescription: "Explorer:"
Name: "openwith"; Description: "Offer Anonator under ""Open with"" of videos; what opens them stays as it is"; GroupDescription: "Explorer:"

[InstallDelete]
; what an older version had and this one has not must not stay: it could be imported
Type: filesandordirs; Name: "{app}\_internal"
Type: filesandordirs; Name: "{app}\licences"

[Files]
Source: "Anonator\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{group}\Anonator"; Filename: "{app}\Anonator.exe"
Name: "{group}\Licences"; Filename: "{app}\licences"
Name: "{autodesktop}\Anonator"; Filename: "{app}\Anonator.exe"; Tasks: desktopicon
Name: "{usersendto}\Anonator"; Filename: "{app}\Anonator.exe"; Tasks: sendto

[Registry]
Root: HKA; Subkey: "Software\Classes\Anonator.Video"; ValueType: string; ValueName: "FriendlyTypeName"; ValueData: "Video"; Flags: uninsdeletekey; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\Anonator.Video\shell\open"; ValueType: string; ValueName: "FriendlyAppName"; ValueData: "Anonator"; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\Anonator.Video\shell\open\command"; ValueType: string; ValueData: """{app}\Anonator.exe"" ""%1"""; Tasks: openwith
$associations

[Run]
Filename: "{app}\Anonator.exe"; Description: "{cm:LaunchProgram,Anonator}"; Flags: nowait postinstall skipifsilent
