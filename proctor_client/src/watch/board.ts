/** Entry of the room board page. */

import './board.css'

import { isLanguage, useLanguage } from '../shared/i18n.ts'
import { RoomBoard } from './room_board.ts'

const { lang } = document.documentElement
useLanguage(isLanguage(lang) ? lang : 'vi')
RoomBoard.define()
