package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/pmctl/pmctl/keystore"
)

// baselines are the fastest processes that could do the same.
var baselines = map[string]func(context.Context, []string) error{
	"decrypt": func(ctx context.Context, args []string) error { return decrypt(ctx, args[0], args[1]) },
	"http":    func(ctx context.Context, _ []string) error { return bare(ctx) },
	"call":    func(ctx context.Context, args []string) error { return call(ctx, args[0]) },
	"sign":    func(_ context.Context, args []string) error { return counted(args, signAll) },
	"loop":    func(_ context.Context, args []string) error { return counted(args, signLoop) },
	"recover": func(_ context.Context, args []string) error { return counted(args, recoverAll) },
}

// counted passes a number of tickets on.
func counted(args []string, do func(int) error) error {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	return do(count)
}

// decrypt opens the key file and does not use the key: the minimum for a mint.
func decrypt(ctx context.Context, keyFile, passphraseFile string) error {
	store := keystore.Open(keyFile)
	account, err := store.Default()
	if err != nil {
		return err
	}
	signer, err := store.Unlock(ctx, account, keystore.PassphraseFile(passphraseFile))
	if err != nil {
		return err
	}
	signer.Close()
	return nil
}

// call sends one request to a node: the minimum for any command that reads the chain.
func call(ctx context.Context, url string) error {
	client, err := ethclient.DialContext(ctx, url)
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := client.CallContract(ctx, ethereum.CallMsg{To: new(common.Address)}, nil)
	if err == nil && len(answer) > 0 {
		err = errors.New("the zero address has code")
	}
	return err
}
