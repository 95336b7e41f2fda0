package words

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFirstOfALongList(t *testing.T) {
	list := make([]string, 3000)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	for n, want := range map[int]string{
		0: "", 1: "0", 6: "0, 1, 2, 3, 4, 5", 7: "0, 1, 2, 3, 4 and 2 more", 3000: "0, 1, 2, 3, 4 and 2995 more",
	} {
		require.Equal(t, want, First(list[:n], ", ", strings.Clone))
	}
}

// TestCut counts characters, and cuts none in two.
func TestCut(t *testing.T) {
	require.Equal(t, "", Cut("", 0))
	require.Equal(t, "été", Cut("été", 3))
	require.Equal(t, "ét…", Cut("été", 2))
	require.Equal(t, "…", Cut("été", 0))
}
