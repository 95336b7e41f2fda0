package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// mark is a record outside of a store of its latest state. A store that is behind its mark is
// an older copy. A store's file has one mark beside it for all who use the file; of a database,
// each machine keeps its own.
//
// A mark is an empty file whose name has the state. Each change of the store renames it: that
// is a single step, needs no lock and no clock, and keeps the file's identity. A copy written
// beside it has an older name, and a file that replaces it is a different file. Its mode, owner
// and label mean nothing.
//
// Its time is that of the store's file, as of which it says what the file has: while that is the
// same, the file need not be read.
//
// It is renamed after the commit and not synced. After a crash of the system it may be behind
// the store, which means nothing, but never ahead of it.
type mark struct {
	files          durable.FS
	folder, prefix string

	// earlier is the mark's path in earlier versions; "" for a database, whose marks may be
	// created at any time.
	earlier string

	mu   sync.Mutex
	path string // where it was last found
	said markState

	// newest is the newest state that this process has seen, written or not.
	newest markState
}

// markOf returns the mark beside the store's file at path.
func markOf(path string) *mark {
	return &mark{files: durable.OS{}, folder: filepath.Dir(path), prefix: filepath.Base(path) + "-mark.", earlier: path + "-mark"}
}

// markOfDatabase returns the mark that this machine keeps of a database, in a folder. Without a
// folder the mark lasts as long as the process.
func markOfDatabase(folder, name string) *mark {
	// The user is not part of the name: all users see the same database.
	sum := sha256.Sum256([]byte(name[strings.LastIndex(name, "@")+1:]))
	return &mark{files: durable.OS{}, folder: folder, prefix: hex.EncodeToString(sum[:12]) + "."}
}

// markState is the state of a store that a mark records.
type markState struct {
	// id is the store's ID; "" in a mark of an earlier version.
	id string
	// generation counts the store's changes; writer made the last of them.
	generation int64
	writer     string
	fileState
	// broken is an unreadable mark of an earlier version.
	broken bool
}

// fileState is the state of a store's file without its log.
type fileState struct {
	// flushed is the generation in it.
	flushed int64
	// at is when it was written, in nanoseconds since 1970; 0 is not known.
	at int64
}

// isAt reports whether a file that was written at a time is in this state. Whole seconds are of a file system
// that has no more, where an older copy can have the time of the file that it replaces.
func (f fileState) isAt(at int64) bool { return f.at == at && at%int64(time.Second) != 0 }

// with merges two states of one file, the other being what was read later.
func (f fileState) with(other fileState) fileState {
	if f.flushed > other.flushed || f.flushed == other.flushed && other.at == 0 {
		return f
	}
	return other
}

// is reports whether two states are one: nothing was written between them.
func (s markState) is(other markState) bool {
	return s.id == other.id && s.generation == other.generation && s.writer == other.writer
}

// with merges two states of one store; of two stores, it returns the other.
func (s markState) with(other markState) markState {
	if s.id != other.id {
		return other
	}
	file := s.fileState.with(other.fileState)
	if s.generation < other.generation {
		s = other
	}
	s.fileState = file
	return s
}

func (s markState) String() string {
	return fmt.Sprintf("%d-%d-%s-%s", s.generation, s.flushed, s.writer, s.id)
}

// parseMarkState reads what String writes.
func parseMarkState(text string) (s markState, ok bool) {
	parts := strings.Split(text, "-")
	if len(parts) != 4 {
		return s, false
	}
	var err, flushedErr error
	s.generation, err = strconv.ParseInt(parts[0], 10, 64)
	s.flushed, flushedErr = strconv.ParseInt(parts[1], 10, 64)
	s.writer, s.id = parts[2], parts[3]
	return s, err == nil && flushedErr == nil && s.generation > 0 && s.id != ""
}

// recall returns the newest state; known is false if there is none.
func (m *mark) recall() (s markState, known bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.find(); err != nil {
		return s, false, err
	}
	if m.path == "" {
		return m.newest, m.earlier == "" && m.newest.id != "", nil
	}
	if m.newest.id == m.said.id {
		return m.said.with(m.newest), true, nil
	}
	return m.said, true, nil
}

// newestSeen returns the newest state that this process has seen, zero if there is none.
func (m *mark) newestSeen() markState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest
}

// find locates the mark. Of several names it takes the newest.
func (m *mark) find() error {
	if m.path != "" && m.path != m.earlier {
		if _, err := os.Lstat(m.path); err == nil {
			return nil // any other is older
		}
	}
	m.path, m.said = "", markState{}
	entries, err := os.ReadDir(m.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return db.NoAccess(err)
	}
	for _, entry := range entries {
		name, ours := strings.CutPrefix(entry.Name(), m.prefix)
		if s, ok := parseMarkState(name); ours && ok && (m.path == "" || m.said.generation < s.generation) {
			m.path, m.said = filepath.Join(m.folder, entry.Name()), s
			if info, err := entry.Info(); err == nil && m.earlier != "" {
				m.said.at = info.ModTime().UnixNano()
			}
		}
	}
	if m.path == "" && m.earlier != "" {
		return m.findEarlier()
	}
	return nil
}

// findEarlier reads the mark of an earlier version, which had the state as its content.
func (m *mark) findEarlier() error {
	file, err := os.Open(m.earlier)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return db.NoAccess(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 100))
	if err != nil {
		return db.NoAccess(err)
	}
	var changed int64
	m.path = m.earlier
	if _, err := fmt.Sscanf(string(data), "%020d %020d\n", &m.said.generation, &changed); err != nil || m.said.generation < 1 {
		m.said = markState{broken: true}
	}
	return nil
}

// create writes and syncs a first mark.
func (m *mark) create(s markState) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.find(); err != nil || m.path != "" {
		return err
	}
	return m.make(s)
}

func (m *mark) make(s markState) error {
	err := durable.MkdirAll(m.files, m.folder)
	path := m.name(s)
	if err == nil {
		err = os.WriteFile(path, nil, 0o600)
	}
	if err == nil {
		err = m.files.SyncDir(m.folder)
	}
	if err != nil {
		return db.NoAccess(err)
	}
	m.path, m.said = path, s
	return nil
}

// keep records a committed state, unless a newer one of the same store is recorded.
func (m *mark) keep(s markState) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.newest = m.newest.with(s)
	for {
		if err := m.find(); err != nil {
			return err
		}
		says := m.said.with(s)
		switch {
		case m.path == "" && m.earlier == "" && m.folder != "":
			return m.make(says)
		case m.path == "", m.said == says:
			return nil
		}
		path := m.name(says)
		err := os.Rename(m.path, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process was faster
		}
		if err != nil {
			return db.NoAccess(err)
		}
		if says.at != m.said.at {
			_ = os.Chtimes(path, time.Time{}, time.Unix(0, says.at)) // that of another user keeps its time
		}
		m.path, m.said = path, says
		return nil
	}
}

// tidy removes names that came with an older copy.
func (m *mark) tidy() {
	m.mu.Lock()
	defer m.mu.Unlock()
	entries, _ := os.ReadDir(m.folder)
	for _, entry := range entries {
		path := filepath.Join(m.folder, entry.Name())
		if name, ours := strings.CutPrefix(entry.Name(), m.prefix); ours && path != m.path {
			if s, ok := parseMarkState(name); ok && s.generation <= m.said.generation {
				_ = os.Remove(path)
			}
		}
	}
}

func (m *mark) name(s markState) string { return filepath.Join(m.folder, m.prefix+s.String()) }

// identity tells the mark's file from a replacement; "" if there is no mark, or the system
// cannot tell.
func (m *mark) identity() (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		if err := m.find(); err != nil || m.path == "" {
			return "", err
		}
		id, err := db.FileID(m.path)
		if errors.Is(err, fs.ErrNotExist) {
			m.path = "" // renamed just now
			continue
		}
		if err != nil {
			return "", db.NoAccess(err)
		}
		return id, nil
	}
}

// checkEmpty rejects a store's file that was emptied. Any other empty file is about to become a
// store.
func (m *mark) checkEmpty(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 {
		return nil // createFile reports it
	}
	if seen, known, err := m.recall(); err != nil || !known || seen.broken {
		return err
	}
	return fmt.Errorf("%w: it is empty now", ErrDamaged)
}

// judge returns ErrDamaged for a file that was a store and is none now.
func (m *mark) judge(err error) error {
	if m.earlier == "" || !errors.Is(err, ErrNotStore) || errors.Is(err, ErrDamaged) {
		return err
	}
	if _, known, recallErr := m.recall(); recallErr != nil || !known {
		return err
	}
	return fmt.Errorf("%w: it was a store earlier: %w", ErrDamaged, err)
}
