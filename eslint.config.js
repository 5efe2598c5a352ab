import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['node_modules', 'coverage', '.tap', 'data'] }),
  {
    rules: {
      // A TypeBox schema and the type that it gives share their name.
      '@typescript-eslint/no-redeclare': 'off',
      // message_id and its like are names of the wire and of the tables.
      camelcase: ['error', { properties: 'never', ignoreDestructuring: true, allow: ['^[a-z]+(_[a-z]+)+$'] }]
    }
  },
  {
    files: ['console/**'],
    rules: {
      // tsc knows what a browser has (tsconfig.console.json).
      'no-undef': 'off',
      'new-cap': ['error', { newIsCapExceptions: ['uPlot'], capIsNew: false, properties: false }]
    }
  }
]
