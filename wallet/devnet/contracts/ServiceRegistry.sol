// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Controller} from "./Controller.sol";
import {Managed} from "./Managed.sol";

/// @title ServiceRegistry
/// @notice Where a transcoder can be reached. Each sets its own entry.
contract ServiceRegistry is Managed {
    mapping(address => string) private serviceURIs;

    event ServiceURIUpdate(address indexed addr, string serviceURI);

    constructor(Controller _controller) Managed(_controller) {}

    function setServiceURI(string calldata _serviceURI) external whenSystemNotPaused {
        serviceURIs[msg.sender] = _serviceURI;
        emit ServiceURIUpdate(msg.sender, _serviceURI);
    }

    /// @return The URI that _addr has set, empty when it has none.
    function getServiceURI(address _addr) external view returns (string memory) {
        return serviceURIs[_addr];
    }
}
