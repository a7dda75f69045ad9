; Template of the installer for Windows; build.py fills in version and name and puts the script into dist/.
; Everything is installed for the one user, so no administrator is needed.

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
; a setup of one file ends at 2.1 GB, which the flavour with CUDA may exceed; smaller ones stay one file
DiskSpanning=yes
DiskSliceSize=max
WizardStyle=modern

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; GroupDescription: "{cm:AdditionalIcons}"

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

[Run]
Filename: "{app}\Anonator.exe"; Description: "{cm:LaunchProgram,Anonator}"; Flags: nowait postinstall skipifsilent
