// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package contract

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// ControllerMetaData contains all meta data concerning the Controller contract.
var ControllerMetaData = bind.MetaData{
	ABI: "[{\"type\":\"function\",\"name\":\"getContract\",\"stateMutability\":\"view\",\"inputs\":[{\"name\":\"id\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"function\",\"name\":\"paused\",\"stateMutability\":\"view\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bool\",\"internalType\":\"bool\"}]}]",
	ID:  "Controller",
}

// Controller is an auto generated Go binding around an Ethereum contract.
type Controller struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Controller) GetABI() abi.ABI {
	return c.abi
}

// NewController creates a new instance of Controller.
func NewController() *Controller {
	parsed, err := ControllerMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Controller{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Controller) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackGetContract is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe16c7d98.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function getContract(bytes32 id) view returns(address)
func (controller *Controller) PackGetContract(id [32]byte) []byte {
	enc, err := controller.abi.Pack("getContract", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGetContract is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe16c7d98.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function getContract(bytes32 id) view returns(address)
func (controller *Controller) TryPackGetContract(id [32]byte) ([]byte, error) {
	return controller.abi.Pack("getContract", id)
}

// UnpackGetContract is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe16c7d98.
//
// Solidity: function getContract(bytes32 id) view returns(address)
func (controller *Controller) UnpackGetContract(data []byte) (common.Address, error) {
	out, err := controller.abi.Unpack("getContract", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPaused is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5c975abb.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function paused() view returns(bool)
func (controller *Controller) PackPaused() []byte {
	enc, err := controller.abi.Pack("paused")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPaused is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5c975abb.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function paused() view returns(bool)
func (controller *Controller) TryPackPaused() ([]byte, error) {
	return controller.abi.Pack("paused")
}

// UnpackPaused is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x5c975abb.
//
// Solidity: function paused() view returns(bool)
func (controller *Controller) UnpackPaused(data []byte) (bool, error) {
	out, err := controller.abi.Unpack("paused", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}
