package pm

import "testing"

func TestRandomValuesDiffer(t *testing.T) {
	if RandAddress() == RandAddress() || RandHash() == RandHash() {
		t.Error("two random values are equal")
	}
	for _, size := range []uint{0, 1, 33} {
		if got := RandBytes(size); uint(len(got)) != size {
			t.Errorf("%d bytes, want %d", len(got), size)
		}
	}
}
