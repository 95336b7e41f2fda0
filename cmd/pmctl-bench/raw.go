package main

import (
	"encoding/binary"
	"math/big"
	"os"
	"runtime"
	"sync"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/pm"
)

// spareProcessors sets the scheduler as pmctl does.
func spareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.NumCPU())
	}
}

// onAllCores calls do for each of count digests, on as many goroutines as there are cores.
func onAllCores(count int, do func(digest []byte) error) error {
	spareProcessors()
	workers := runtime.NumCPU()
	errs := make([]error, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			digest := make([]byte, common.HashLength)
			for n := i; n < count && errs[i] == nil; n += workers {
				binary.BigEndian.PutUint64(digest, uint64(n)+1)
				errs[i] = do(digest)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// signAll makes signatures and does nothing else: the minimum for a mint.
func signAll(count int) error {
	key, err := crypto.GenerateKey()
	if err != nil {
		return err
	}
	return onAllCores(count, func(digest []byte) error {
		_, err := crypto.Sign(digest, key)
		return err
	})
}

// recoverAll recovers the keys of signatures: the minimum for checking a batch.
func recoverAll(count int) error {
	key, err := crypto.GenerateKey()
	if err != nil {
		return err
	}
	const signatures = 256 // a repeated one is faster
	var digests, sigs [signatures][]byte
	for i := range signatures {
		digests[i] = make([]byte, common.HashLength)
		digests[i][0] = byte(i)
		if sigs[i], err = crypto.Sign(digests[i], key); err != nil {
			return err
		}
	}
	return onAllCores(count, func(digest []byte) error {
		i := binary.BigEndian.Uint64(digest) % signatures
		_, err := crypto.Ecrecover(digests[i], sigs[i])
		return err
	})
}

// signLoop makes tickets one after another, in the simplest way.
func signLoop(count int) error {
	spareProcessors()
	key, err := crypto.GenerateKey()
	if err != nil {
		return err
	}
	params := someParams()
	sender := crypto.PubkeyToAddress(key.PublicKey)
	for nonce := range count {
		ticket := pm.NewTicket(params, nil, sender, uint32(nonce)+1)
		hash := ticket.Hash()
		if _, err := crypto.Sign(accounts.TextHash(hash[:]), key); err != nil {
			return err
		}
	}
	return nil
}

// someParams are ticket params as recipients offer them.
func someParams() *pm.TicketParams {
	return &pm.TicketParams{
		Recipient: common.Address{1}, FaceValue: big.NewInt(4e12), WinProb: new(big.Int).Lsh(big.NewInt(1), 254),
		RecipientRandHash: common.Hash{2}, Seed: big.NewInt(3), ExpirationBlock: big.NewInt(4e7), PricePerPixel: big.NewRat(1200, 1),
		ExpirationParams: &pm.TicketExpirationParams{CreationRound: 5, CreationRoundBlockHash: common.Hash{6}},
	}
}
