package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// mark is a small file beside a store that says how far the store had come. It is what
// tells that a store's file was overwritten with an older copy of itself: the store's
// own counter is then behind the mark's.
//
// The mark itself could be put back together with the store. It therefore says when it
// was last changed, by the clock of its file system, which no copy can set: one whose
// file was changed at another time was.
//
// It is written after each commit without being synced. A crash of the system may leave
// it behind the store, never ahead of it, and that means nothing.
type mark struct {
	path string
	mu   sync.Mutex
	file *os.File

	// skew is how far the file system's clock is ahead of ours.
	skew int64
}

// markOf is the mark of the store at path.
func markOf(path string) *mark { return &mark{path: path + "-mark"} }

// sighting is what a mark says.
type sighting struct {
	generation int64

	// copied tells that the file was changed by others than a store.
	copied bool
}

const (
	markFormat = "%020d %020d\n"
	markSize   = 42

	// markSlack is how far apart the two times of a change may be.
	markSlack = int64(250 * time.Millisecond)

	markTries = 100
	markPause = 2 * time.Millisecond
)

// open opens the file, which may not be there.
func (m *mark) open(flags int) error {
	if m.file != nil {
		return nil
	}
	file, err := os.OpenFile(m.path, os.O_RDWR|flags, 0o600)
	if err == nil {
		m.file = file
	}
	return err
}

// create makes a mark that says nothing yet, where there is none.
func (m *mark) create() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(os.O_CREATE); err != nil {
		return fmt.Errorf("%w: %w", ErrAccess, err)
	}
	return nil
}

func (m *mark) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file != nil {
		m.file.Close()
	}
}

// read returns what the mark says; there is false where there is none.
func (m *mark) read() (s sighting, there bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(0); errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	} else if err != nil {
		return s, false, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	if !m.lock(lockShared) {
		return s, false, fmt.Errorf("%w: %s", ErrBusy, m.path)
	}
	defer unlockFile(m.file)
	generation, written, err := m.content()
	if err != nil || generation == 0 {
		return s, true, err
	}
	changed, known, err := changeTime(m.file)
	if err != nil {
		return s, true, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	away := changed - written
	return sighting{generation, known && (away > markSlack || away < -markSlack)}, true, nil
}

// peek returns the generation alone.
func (m *mark) peek() (generation int64, there bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file == nil {
		return 0, false, nil
	}
	generation, _, err = m.content()
	return generation, true, err
}

// content returns zeros for a mark that says nothing yet. What cannot be read counts as
// put back by somebody.
func (m *mark) content() (generation, written int64, err error) {
	var data [markSize]byte
	n, err := m.file.ReadAt(data[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	if n == 0 {
		return 0, 0, nil
	}
	if _, err := fmt.Sscanf(string(data[:n]), markFormat, &generation, &written); n != markSize || err != nil {
		return 1, 0, nil
	}
	return generation, written, nil
}

// advance writes a generation that was committed, unless the mark is ahead of it. A
// mark that somebody else has locked for long stays behind.
func (m *mark) advance(generation int64) error { return m.write(generation, false) }

// restart is advance for a mark that was put back.
func (m *mark) restart(generation int64) error { return m.write(generation, true) }

func (m *mark) write(generation int64, whatever bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file == nil || !m.lock(lockExclusive) {
		return nil
	}
	defer unlockFile(m.file)
	found, _, err := m.content()
	if err != nil || found >= generation && !whatever {
		return err
	}
	for range markTries {
		at := time.Now().UnixNano() + m.skew
		if _, err := fmt.Fprintf(io.NewOffsetWriter(m.file, 0), markFormat, generation, at); err != nil {
			return fmt.Errorf("%w: %w", ErrAccess, err)
		}
		changed, known, err := changeTime(m.file)
		if err != nil || !known {
			return err
		}
		away := changed - at
		if away < markSlack/2 && away > -markSlack/2 {
			return nil
		}
		// The file system has another clock, or we were stopped in between.
		m.skew += away
	}
	return nil
}

// lock waits a little for others, who hold the lock for a few system calls.
func (m *mark) lock(how int) bool {
	for range markTries {
		if tryLock(m.file, how) {
			return true
		}
		<-time.After(markPause)
	}
	return false
}

// checkEmpty refuses a store's file that was emptied. An empty file is otherwise one
// that is about to become a store.
func (m *mark) checkEmpty(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 {
		return nil // for createFile to say
	}
	if seen, _, err := m.read(); err != nil || seen.generation == 0 {
		return err
	}
	return fmt.Errorf("%w: it is empty, and was not", ErrDamaged)
}

// judge returns ErrDamaged for a file that is no store, and was one.
func (m *mark) judge(err error) error {
	if m == nil || !errors.Is(err, ErrNotStore) || errors.Is(err, ErrDamaged) {
		return err
	}
	if _, statErr := os.Stat(m.path); statErr != nil {
		return err
	}
	return fmt.Errorf("%w: it was a store before: %w", ErrDamaged, err)
}
