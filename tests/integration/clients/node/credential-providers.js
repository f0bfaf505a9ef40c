// The AWS SDK for JavaScript, by itself and through its default chain.
'use strict';
const assert = require('assert');
const { fromContainerMetadata, fromNodeProviderChain } = require('@aws-sdk/credential-providers');
const { credentials, run } = require('./task');

run(async () => {
    const given = await credentials();
    for (const provider of [fromContainerMetadata(), fromNodeProviderChain()]) {
        const found = await provider();
        assert.strictEqual(found.accessKeyId, given.AccessKeyId);
        assert.strictEqual(found.secretAccessKey, given.SecretAccessKey);
        assert.strictEqual(found.sessionToken, given.Token);
        assert.strictEqual(found.expiration.getTime(), Date.parse(given.Expiration));
    }
});
