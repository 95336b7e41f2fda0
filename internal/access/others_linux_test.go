package access

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

type entry struct {
	tag, perm uint16
	id        uint32
}

func encode(entries ...entry) []byte {
	list := binary.LittleEndian.AppendUint32(nil, listVersion)
	for _, e := range entries {
		list = binary.LittleEndian.AppendUint16(list, e.tag)
		list = binary.LittleEndian.AppendUint16(list, e.perm)
		list = binary.LittleEndian.AppendUint32(list, e.id)
	}
	return list
}

const (
	owner   = 1
	unnamed = 0xffffffff
)

// TestOthersByAccessControlList sets real lists: the mode's group bits are then the
// list's mask, and tell nothing of the group.
func TestOthersByAccessControlList(t *testing.T) {
	self := uint32(os.Geteuid())
	for name, c := range map[string]struct {
		list []byte
		mode os.FileMode // as it is shown afterwards
		want string
	}{
		"only this process's user, as systemd gives a credential": {
			encode(entry{owner, 4, unnamed}, entry{tagUser, 4, self}, entry{tagOwnerGroup, 0, unnamed}, entry{tagMask, 4, unnamed}, entry{tagOther, 0, unnamed}),
			0o440, "",
		},
		"another user": {
			encode(entry{owner, 6, unnamed}, entry{tagUser, 4, 54321}, entry{tagOwnerGroup, 0, unnamed}, entry{tagMask, 4, unnamed}, entry{tagOther, 0, unnamed}),
			0o640, "user 54321 (by an access control list)",
		},
		"another user that the mask excludes": {
			encode(entry{owner, 6, unnamed}, entry{tagUser, 4, 54321}, entry{tagOwnerGroup, 0, unnamed}, entry{tagMask, 0, unnamed}, entry{tagOther, 0, unnamed}),
			0o600, "",
		},
		"a group": {
			encode(entry{owner, 6, unnamed}, entry{tagOwnerGroup, 0, unnamed}, entry{tagGroup, 4, 54321}, entry{tagMask, 4, unnamed}, entry{tagOther, 0, unnamed}),
			0o640, "group 54321 (by an access control list)",
		},
		"the owner's group": {
			encode(entry{owner, 6, unnamed}, entry{tagUser, 4, self}, entry{tagOwnerGroup, 4, unnamed}, entry{tagMask, 4, unnamed}, entry{tagOther, 0, unnamed}),
			0o640, "its group (mode 0640)",
		},
		"everyone": {
			encode(entry{owner, 6, unnamed}, entry{tagUser, 0, 54321}, entry{tagOwnerGroup, 0, unnamed}, entry{tagMask, 0, unnamed}, entry{tagOther, 4, unnamed}),
			0o604, "everyone (mode 0604)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			require.NoError(t, unix.Setxattr(path, "system.posix_acl_access", c.list, 0))
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, c.mode, info.Mode().Perm())
			require.Equal(t, c.want, Others(path, info))
		})
	}
}

func TestOthersByMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	for mode, want := range map[os.FileMode]string{
		0o600: "", 0o400: "", 0o711: "", 0o640: "its group (mode 0640)", 0o604: "everyone (mode 0604)", 0o444: "everyone (mode 0444)",
	} {
		require.NoError(t, os.Chmod(path, mode))
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, Others(path, info))
	}
}
