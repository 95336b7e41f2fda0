//go:build unix

package access

import (
	"fmt"
	"io/fs"
)

// Known is whether Others can tell.
const Known = true

// byMode is what a mode without an access control list says.
func byMode(mode fs.FileMode) string {
	switch perm := mode.Perm(); {
	case perm&0o004 != 0:
		return fmt.Sprintf("everyone (mode %04o)", perm)
	case perm&0o040 != 0:
		return fmt.Sprintf("its group (mode %04o)", perm)
	}
	return ""
}
