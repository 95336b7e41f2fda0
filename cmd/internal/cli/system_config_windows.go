package cli

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// systemConfig is the config file for every user of the machine. The programs' folder is one in which
// only administrators create files.
func systemConfig() string {
	programs, err := windows.KnownFolderPath(windows.FOLDERID_ProgramFiles, 0)
	if err != nil {
		programs = `C:\Program Files`
	}
	return filepath.Join(programs, "pmctl", "config.toml")
}
