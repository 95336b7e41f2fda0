package access

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Others returns who may read the file at path besides its owner, this process's user and root,
// such as "its group (mode 0640)"; "" for no other user. info is the file's os.Stat.
func Others(path string, info fs.FileInfo) string {
	list := make([]byte, 4096)
	n, err := unix.Getxattr(path, "system.posix_acl_access", list)
	if err != nil {
		return byMode(info.Mode()) // most files have no list
	}
	owner := uint32(0)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		owner = stat.Uid
	}
	return byList(list[:n], owner, uint32(os.Geteuid()), info.Mode())
}

// The entries of an access control list, as the kernel stores it: a version in 4
// bytes, then entries of a tag and permissions in 2 bytes each and an id in 4.
const (
	listVersion = 2
	headerSize  = 4
	entrySize   = 8

	tagUser       = 0x02
	tagOwnerGroup = 0x04
	tagGroup      = 0x08
	tagMask       = 0x10
	tagOther      = 0x20

	mayRead = 4
)

func byList(list []byte, owner, self uint32, mode fs.FileMode) string {
	if len(list) < headerSize || binary.LittleEndian.Uint32(list) != listVersion || (len(list)-headerSize)%entrySize != 0 {
		return byMode(mode)
	}
	entries := list[headerSize:]
	field := func(i, offset int) uint16 { return binary.LittleEndian.Uint16(entries[i+offset:]) }
	mask := uint16(mayRead)
	for i := 0; i < len(entries); i += entrySize {
		if field(i, 0) == tagMask {
			mask = field(i, 2)
		}
	}
	for i := 0; i < len(entries); i += entrySize {
		tag, reads := field(i, 0), field(i, 2)&mayRead != 0
		masked := reads && mask&mayRead != 0
		id := binary.LittleEndian.Uint32(entries[i+4:])
		switch {
		case tag == tagOther && reads:
			return fmt.Sprintf("everyone (mode %04o)", mode.Perm())
		case tag == tagOwnerGroup && masked:
			return fmt.Sprintf("its group (mode %04o)", mode.Perm())
		case tag == tagGroup && masked:
			return fmt.Sprintf("group %d (by an access control list)", id)
		case tag == tagUser && masked && id != owner && id != self && id != 0:
			return fmt.Sprintf("user %d (by an access control list)", id)
		}
	}
	return ""
}
