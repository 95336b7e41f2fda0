package recipient

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/pmctl/pmctl/wallet/store"
)

// winners is the store of a recipient's winning tickets.
type winners struct {
	*store.Winners
	file *store.Store
	// temporary is the folder that is removed with the recipient; "" if the store stays.
	temporary string
}

// openWinners opens the store at cfg.StorePath, or a new one that is removed by close.
func openWinners(cfg *Config) (*winners, error) {
	w, path := &winners{}, cfg.StorePath
	if path == "" {
		var err error
		if w.temporary, err = os.MkdirTemp("", "pmctl-recipient-"); err != nil {
			return nil, err
		}
		path = filepath.Join(w.temporary, "store.db")
	}
	var err error
	if w.file, err = store.Open(context.Background(), path); err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.Winners = w.file.Chain(cfg.ChainID).Winners(cfg.IsActive)
	return w, nil
}

func (w *winners) close() error {
	var err error
	if w.file != nil {
		err = w.file.Close()
	}
	if w.temporary != "" {
		err = errors.Join(err, os.RemoveAll(w.temporary))
	}
	return err
}
