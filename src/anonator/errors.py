"""All of Anonator's errors, as one tree; each message says what happened and what to do next.

AnonatorError                 anything the program itself reports
├── SettingsError             a setting is unknown, of the wrong type or out of its range
│   └── HipaaLockError        a HIPAA job has values that HIPAA mode does not allow
├── InputError                the input cannot be used: missing, unreadable, not a video
│   └── DecodeError           a video was opened, but some of its frames cannot be decoded
├── OutputError               the output cannot be written: folder, permission, disk
│   ├── OutputExistsError     a file of that name already exists
│   └── DiskFullError         there is no room for it
├── ModelError                a model's weights cannot be used
│   ├── WeightsMissingError   they are not on this computer
│   ├── WeightsInvalidError   a file was found, but it is damaged or the wrong one
│   └── DownloadError         fetching them failed
├── DeviceError               the chosen device cannot be used
├── DetectionError            the detector failed on a frame
├── VerificationError         the finished file isn't what it must be
├── ReviewError               a correction isn't possible, or a file of tracks cannot be used
│   └── OpenElsewhereError    another program or another person has the review open
├── DisplayError              there is no screen for the window
├── ArchiveError              an archive's plan, records or lock cannot be used
└── JobCancelled              the user cancelled the job

Texts never hold the path of a job's file, because they reach logs; they speak of "the video".
The terminal and the window show the name next to the text.
"""


class AnonatorError(Exception):
    """Anything the program itself reports; its text can be shown to a user as is."""


class SettingsError(AnonatorError):
    """A setting is unknown, of the wrong type or out of its range."""


class HipaaLockError(SettingsError):
    """A HIPAA job has values that HIPAA mode does not allow."""


class InputError(AnonatorError):
    """The input cannot be used: missing, unreadable, not a video."""


class DecodeError(InputError):
    """A video was opened, but some of its frames cannot be decoded."""


class OutputError(AnonatorError):
    """The output cannot be written: folder, permission, disk."""


class OutputExistsError(OutputError):
    """A file with the output's name already exists."""


class DiskFullError(OutputError):
    """There is no room for the output."""


class ModelError(AnonatorError):
    """A model's weights cannot be used."""


class WeightsMissingError(ModelError):
    """The weights are not on this computer."""


class WeightsInvalidError(ModelError):
    """A weights file was found, but it is damaged or the wrong one."""


class DownloadError(ModelError):
    """Fetching weights failed."""


class DeviceError(AnonatorError):
    """The chosen device cannot be used."""


class DetectionError(AnonatorError):
    """The detector failed on a frame."""


class VerificationError(AnonatorError):
    """The finished file is not what it must be."""


class DisplayError(AnonatorError):
    """There is no screen for the window."""


class JobCancelled(AnonatorError):
    """The user cancelled the job."""


class ReviewError(AnonatorError):
    """A correction that is not possible, or a file of tracks that cannot be used."""


class OpenElsewhereError(ReviewError):
    """Another program, or another person, has the review open."""


class ArchiveError(AnonatorError):
    """An archive's plan, records or lock cannot be used."""
