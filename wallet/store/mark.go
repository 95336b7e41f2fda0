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

	"github.com/pmctl/pmctl/internal/durable"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// mark is what is remembered outside of a store of how far it had come. It tells that an
// older copy took the store's place: that copy is behind the mark. Beside a store's file
// there is one for all who use the file; of a database each machine has its own.
//
// A mark is an empty file, and what it says is in its name. Each change of the store
// renames it, which is one step whatever happens meanwhile, needs no lock and no clock,
// and leaves the file the same one: a copy that is written beside it has an older name, and
// one that is put in its place is another file. Its mode, owner or label mean nothing.
//
// It is renamed after the commit and not synced. A crash of the system may leave it behind
// the store, never ahead of it, and that means nothing.
type mark struct {
	files          durable.FS
	folder, prefix string

	// earlier is the mark beside a file that versions before this one wrote; "" for a
	// database, whose marks are made at any time.
	earlier string

	mu   sync.Mutex
	path string // where it was last found
	said markState

	// newest is the newest state that this process knows, written or not.
	newest markState
}

// markOf is the mark beside the store's file at path.
func markOf(path string) *mark {
	return &mark{files: durable.OS{}, folder: filepath.Dir(path), prefix: filepath.Base(path) + "-mark.", earlier: path + "-mark"}
}

// markOfDatabase is what this machine remembers, in a folder, of the database with a name;
// nothing for longer than the process where there is no folder.
func markOfDatabase(folder, name string) *mark {
	// The user is no part of it: each sees the same database.
	sum := sha256.Sum256([]byte(name[strings.LastIndex(name, "@")+1:]))
	return &mark{files: durable.OS{}, folder: folder, prefix: hex.EncodeToString(sum[:12]) + "."}
}

// markState is a state of a store.
type markState struct {
	// id is the store's; "" from a mark of an earlier version.
	id string

	// generation counts the store's changes, and writer made the last of them.
	generation int64
	writer     string

	// flushed is the generation that a store's file has without its log.
	flushed int64

	// broken is an earlier version's mark that cannot be read.
	broken bool
}

// with is what is known of a store that was seen in two states; of two stores, it is the
// other.
func (s markState) with(other markState) markState {
	if s.id != other.id {
		return other
	}
	flushed := max(s.flushed, other.flushed)
	if s.generation < other.generation {
		s = other
	}
	s.flushed = flushed
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

// recall returns the newest state that is remembered; known is false without one.
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

// newestSeen is the newest state that this process knows, zero for none.
func (m *mark) newestSeen() markState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest
}

// find looks where the mark is, and takes the newest name of several.
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
		}
	}
	if m.path == "" && m.earlier != "" {
		return m.findEarlier()
	}
	return nil
}

// findEarlier reads the mark of an earlier version, which said in its content how far
// the store had come.
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

// create makes a mark where there is none, and makes sure that it stays.
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

// keep remembers a state that is committed, unless a newer one of the same store is.
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
		m.path, m.said = path, says
		return nil
	}
}

// tidy removes the names that an older copy has brought.
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

// identity tells the mark's file from one that was put in its place; "" where there is no
// mark, or where that is not known.
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

// checkEmpty refuses a store's file that was emptied. An empty file is otherwise one
// that is about to become a store.
func (m *mark) checkEmpty(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 {
		return nil // for createFile to say
	}
	if seen, known, err := m.recall(); err != nil || !known || seen.broken {
		return err
	}
	return fmt.Errorf("%w: it is empty, and was not", ErrDamaged)
}

// judge returns ErrDamaged for a file that is no store, and was one.
func (m *mark) judge(err error) error {
	if m.earlier == "" || !errors.Is(err, ErrNotStore) || errors.Is(err, ErrDamaged) {
		return err
	}
	if _, known, recallErr := m.recall(); recallErr != nil || !known {
		return err
	}
	return fmt.Errorf("%w: it was a store before: %w", ErrDamaged, err)
}
